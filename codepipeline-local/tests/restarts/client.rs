//! A client that makes random calls and records the answers.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::operation::create_bucket::CreateBucketError;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde_json::{Value, json};

use crate::model::{Execution, Model, Pipeline, Tags, UNANSWERED_ID, Upload};
use crate::wire::{answered, call, s3};

/// The server is gone, or a reply was incomplete.
pub(crate) struct Gone;

pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) random: Random,
    pub(crate) model: Model,
    /// The model after the effect of an unanswered request.
    pub(crate) pending: Option<Model>,
    /// Versions of the type that were created, whether or not they were deleted.
    pub(crate) made_types: BTreeSet<String>,
    /// The contents of parts, by entity tag.
    pub(crate) contents: BTreeMap<String, String>,
    /// The content of the part that was uploaded last.
    pub(crate) uploading: String,
    /// Generates names and texts that were never used before.
    made: u64,
}

/// The generator SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn pick<'a, T>(&mut self, mut items: impl ExactSizeIterator<Item = &'a T>) -> Option<&'a T> {
        if items.len() == 0 { None } else { items.nth(self.below(items.len())) }
    }
}

impl Client {
    pub(crate) fn new(number: usize, seed: u64) -> Self {
        Self {
            number,
            random: Random(seed),
            model: Model::default(),
            pending: None,
            made_types: BTreeSet::new(),
            contents: BTreeMap::new(),
            uploading: String::new(),
            made: 0,
        }
    }

    pub(crate) fn provider(&self) -> String {
        format!("Check{}", self.number)
    }

    pub(crate) fn prefix(&self) -> String {
        format!("client{}-", self.number)
    }

    pub(crate) fn bucket(&self) -> String {
        format!("bucket{}", self.number)
    }

    pub(crate) fn type_arn(&self, version: &str) -> String {
        format!("arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Test/{}/{version}", self.provider())
    }

    fn fresh(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}{}", self.made)
    }

    /// Sends one request. `after` is the model after its effect.
    async fn request(&mut self, at: &str, operation: &str, input: &Value, after: Model) -> Result<Value, Gone> {
        self.pending = Some(after);
        let reply = call(at, operation, input).await.ok_or(Gone)?;
        let reply = reply.unwrap_or_else(|error| panic!("{operation} of {input} was refused: {error}"));
        self.model = self.pending.take().expect("the request put it there");
        Ok(reply)
    }

    /// Creates the action type, the bucket and the source that the client needs.
    pub(crate) async fn set_up(&mut self, at: &str) -> Result<(), Gone> {
        if !self.model.types.contains_key("1") {
            self.create_type(at, "1".to_owned()).await?;
        }
        if !self.model.objects.contains_key("source") {
            let made = s3(at).create_bucket().bucket(self.bucket()).send().await;
            if let Err(error) = made
                && !error.as_service_error().is_some_and(CreateBucketError::is_bucket_already_owned_by_you)
            {
                return Err(Gone);
            }
            self.put(at, "source".to_owned()).await?;
        }
        Ok(())
    }

    pub(crate) async fn step(&mut self, at: &str) -> Result<(), Gone> {
        let pipeline = self.random.pick(self.model.pipelines.keys()).cloned();
        match (self.random.below(20), pipeline) {
            (0, _) => self.create_pipeline(at).await,
            (1, Some(name)) => self.update_pipeline(at, &name).await,
            (2, Some(name)) if self.model.pipelines.len() > 2 => self.delete_pipeline(at, &name).await,
            (3 | 4, Some(name)) => self.tag_pipeline(at, &name).await,
            (5, Some(name)) => self.toggle_transition(at, &name).await,
            (6, _) => {
                let version = (2 + self.random.below(3)).to_string();
                if self.model.types.contains_key(&version) {
                    self.delete_type(at, version).await
                } else {
                    self.create_type(at, version).await
                }
            }
            (7, _) => self.tag_type(at).await,
            (8 | 9, _) => {
                let key = format!("object{}", self.random.below(5));
                self.put(at, key).await
            }
            (10, _) => self.delete_object(at).await,
            (11..=13, _) => self.upload(at).await,
            (_, Some(name)) => match self.model.pipelines[&name].in_progress().cloned() {
                None => self.start(at, &name).await,
                Some(id) => self.work(at, &name, &id).await,
            },
            (_, None) => self.create_pipeline(at).await,
        }
    }

    fn declaration(&self, name: &str, command: &str) -> Value {
        json!({
            "name": name, "roleArn": "arn:aws:iam::123456789012:role/pipeline",
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [
                {"name": "Source", "actions": [{
                    "name": "Fetch", "outputArtifacts": [{"name": "Source"}],
                    "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
                    "configuration": {"S3Bucket": self.bucket(), "S3ObjectKey": "source"},
                }]},
                {"name": "Test", "actions": [{
                    "name": "Check", "inputArtifacts": [{"name": "Source"}],
                    "actionTypeId": {"category": "Test", "owner": "Custom", "provider": self.provider(), "version": "1"},
                    "configuration": {"Command": command, "Token": "hidden"},
                }]},
            ],
        })
    }

    async fn create_pipeline(&mut self, at: &str) -> Result<(), Gone> {
        if self.model.pipelines.len() >= 4 {
            return Ok(());
        }
        let (name, command) = (format!("{}{}", self.prefix(), self.fresh("p")), self.fresh("command"));
        let mut after = self.model.clone();
        let tags = Tags::from([("made-by".to_owned(), command.clone())]);
        let pipeline = Pipeline { version: 1, command: command.clone(), tags, ..Pipeline::default() };
        after.pipelines.insert(name.clone(), pipeline);
        let tags = json!([{"key": "made-by", "value": command}]);
        let input = json!({"pipeline": self.declaration(&name, &command), "tags": tags});
        self.request(at, "CreatePipeline", &input, after).await.map(drop)
    }

    async fn update_pipeline(&mut self, at: &str, name: &str) -> Result<(), Gone> {
        let command = self.fresh("command");
        let mut after = self.model.clone();
        let pipeline = after.pipelines.get_mut(name).expect("the name is one of them");
        pipeline.version += 1;
        pipeline.command.clone_from(&command);
        pipeline.end("Cancelled");
        let input = json!({"pipeline": self.declaration(name, &command)});
        self.request(at, "UpdatePipeline", &input, after).await.map(drop)
    }

    async fn delete_pipeline(&mut self, at: &str, name: &str) -> Result<(), Gone> {
        let mut after = self.model.clone();
        after.pipelines.remove(name);
        self.request(at, "DeletePipeline", &json!({"name": name}), after).await.map(drop)
    }

    async fn tag_pipeline(&mut self, at: &str, name: &str) -> Result<(), Gone> {
        let arn = format!("arn:aws:codepipeline:us-east-1:123456789012:{name}");
        let tags = self.model.pipelines[name].tags.clone();
        let set = |after: &mut Model, tags| after.pipelines.get_mut(name).expect("the name is one of them").tags = tags;
        self.change_tags(at, &arn, tags, set).await
    }

    async fn tag_type(&mut self, at: &str) -> Result<(), Gone> {
        let Some(version) = self.random.pick(self.model.types.keys()).cloned() else { return Ok(()) };
        let arn = self.type_arn(&version);
        let tags = self.model.types[&version].clone();
        let set = |after: &mut Model, tags| drop(after.types.insert(version, tags));
        self.change_tags(at, &arn, tags, set).await
    }

    /// Adds, replaces or takes a tag.
    async fn change_tags(
        &mut self,
        at: &str,
        arn: &str,
        mut tags: Tags,
        set: impl FnOnce(&mut Model, Tags),
    ) -> Result<(), Gone> {
        let key = format!("tag{}", self.random.below(4));
        let value = self.fresh("value");
        let mut after = self.model.clone();
        let (operation, input) = if tags.contains_key(&key) && self.random.below(2) == 0 {
            tags.remove(&key);
            ("UntagResource", json!({"resourceArn": arn, "tagKeys": [key]}))
        } else {
            tags.insert(key.clone(), value.clone());
            ("TagResource", json!({"resourceArn": arn, "tags": [{"key": key, "value": value}]}))
        };
        set(&mut after, tags);
        self.request(at, operation, &input, after).await.map(drop)
    }

    async fn toggle_transition(&mut self, at: &str, name: &str) -> Result<(), Gone> {
        let reason = self.fresh("reason");
        let mut after = self.model.clone();
        let pipeline = after.pipelines.get_mut(name).expect("the name is one of them");
        let mut input = json!({"pipelineName": name, "stageName": "Test", "transitionType": "Inbound"});
        if pipeline.disabled.take().is_some() {
            return self.request(at, "EnableStageTransition", &input, after).await.map(drop);
        }
        pipeline.disabled = Some(reason.clone());
        input["reason"] = reason.into();
        self.request(at, "DisableStageTransition", &input, after).await.map(drop)
    }

    async fn create_type(&mut self, at: &str, version: String) -> Result<(), Gone> {
        let mut after = self.model.clone();
        after.types.insert(version.clone(), Tags::from([("kind".to_owned(), version.clone())]));
        let input = type_input(&self.provider(), &version, "what to run");
        self.request(at, "CreateCustomActionType", &input, after).await?;
        self.made_types.insert(version);
        Ok(())
    }

    async fn delete_type(&mut self, at: &str, version: String) -> Result<(), Gone> {
        let mut after = self.model.clone();
        after.types.remove(&version);
        let input = json!({"category": "Test", "provider": self.provider(), "version": version});
        self.request(at, "DeleteCustomActionType", &input, after).await.map(drop)
    }

    async fn start(&mut self, at: &str, name: &str) -> Result<(), Gone> {
        if self.model.pipelines[name].executions.len() >= 30 {
            return self.delete_pipeline(at, name).await;
        }
        let mut after = self.model.clone();
        let pipeline = after.pipelines.get_mut(name).expect("the name is one of them");
        pipeline.executions.insert(UNANSWERED_ID.to_owned(), Execution::new("InProgress"));
        let token = self.fresh("token");
        let input = json!({"name": name, "clientRequestToken": token});
        let reply = self.request(at, "StartPipelineExecution", &input, after).await?;
        let id = reply["pipelineExecutionId"].as_str().expect("it has an id").to_owned();
        let pipeline = self.model.pipelines.get_mut(name).expect("the name is one of them");
        let execution = pipeline.executions.remove(UNANSWERED_ID).expect("the request put it there");
        assert!(pipeline.executions.insert(id.clone(), execution).is_none(), "an id was used twice");
        // The same token starts no second execution.
        let again = self.model.clone();
        let reply = self.request(at, "StartPipelineExecution", &input, again).await?;
        assert_eq!(reply["pipelineExecutionId"], *id);
        Ok(())
    }

    /// Does a job if one is offered, and reads how its execution ended.
    async fn work(&mut self, at: &str, name: &str, id: &str) -> Result<(), Gone> {
        let same = self.model.clone();
        let kind = json!({"category": "Test", "owner": "Custom", "provider": self.provider(), "version": "1"});
        let polled = self.request(at, "PollForJobs", &json!({"actionTypeId": kind}), same.clone()).await?;
        // A job of another pipeline's execution is left for its next offer.
        let mut jobs = polled["jobs"].as_array().into_iter().flatten();
        let Some(job) = jobs.find(|job| job["data"]["pipelineContext"]["pipelineExecutionId"] == *id) else {
            return Ok(());
        };
        let input = json!({"jobId": job["id"], "nonce": job["nonce"]});
        self.request(at, "AcknowledgeJob", &input, same).await?;
        let succeeds = self.random.below(3) > 0;
        let mut after = self.model.clone();
        let pipeline = after.pipelines.get_mut(name).expect("the name is one of them");
        pipeline.end(if succeeds { "Succeeded" } else { "Failed" });
        let run = self.fresh("run");
        if succeeds {
            let details = json!({"externalExecutionId": run, "summary": run, "percentComplete": 100});
            let input = json!({"jobId": job["id"], "executionDetails": details, "outputVariables": {"Run": run}});
            self.request(at, "PutJobSuccessResult", &input, after).await?;
        } else {
            let details = json!({"type": "JobFailed", "message": run, "externalExecutionId": run});
            let input = json!({"jobId": job["id"], "failureDetails": details});
            self.request(at, "PutJobFailureResult", &input, after).await?;
        }
        let input = json!({"pipelineName": name, "filter": {"pipelineExecutionId": id}});
        let same = self.model.clone();
        let read = self.request(at, "ListActionExecutions", &input, same).await?;
        assert!(read.to_string().contains(&run) && !read.to_string().contains("hidden"), "{read}");
        let pipeline = self.model.pipelines.get_mut(name).expect("the name is one of them");
        pipeline.executions.get_mut(id).expect("it is known").actions = Some(read);
        Ok(())
    }

    async fn put(&mut self, at: &str, key: String) -> Result<(), Gone> {
        let content = self.fresh("content");
        let mut after = self.model.clone();
        after.objects.insert(key.clone(), content.clone());
        self.pending = Some(after);
        let put = s3(at).put_object().bucket(self.bucket()).key(key).body(content.into_bytes().into());
        self.done(answered(put.send().await)).map(drop)
    }

    async fn delete_object(&mut self, at: &str) -> Result<(), Gone> {
        let key = format!("object{}", self.random.below(5));
        let mut after = self.model.clone();
        after.objects.remove(&key);
        self.pending = Some(after);
        let deleted = s3(at).delete_object().bucket(self.bucket()).key(key).send().await;
        self.done(answered(deleted)).map(drop)
    }

    /// Begins, continues, completes or aborts a multipart upload.
    async fn upload(&mut self, at: &str) -> Result<(), Gone> {
        let (client, bucket) = (s3(at), self.bucket());
        let mut after = self.model.clone();
        let Some((key, Upload { id, parts })) = self.model.uploads.clone().into_iter().next() else {
            let key = format!("object{}", self.random.below(5));
            after.uploads.insert(key.clone(), Upload { id: UNANSWERED_ID.to_owned(), parts: BTreeMap::new() });
            self.pending = Some(after);
            let begun = client.create_multipart_upload().bucket(bucket).key(&key).send().await;
            let id = self.done(answered(begun))?.upload_id().expect("it has an id").to_owned();
            self.model.uploads.get_mut(&key).expect("the request put it there").id = id;
            return Ok(());
        };
        match (self.random.below(6), parts.first_key_value()) {
            (0, _) => {
                after.uploads.remove(&key);
                self.pending = Some(after);
                let aborted = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id).send().await;
                self.done(answered(aborted)).map(drop)
            }
            (1 | 2, Some((number, e_tag))) => {
                after.uploads.remove(&key);
                after.objects.insert(key.clone(), self.contents[e_tag].clone());
                self.pending = Some(after);
                let part = CompletedPart::builder().part_number(*number).e_tag(e_tag).build();
                let parts = CompletedMultipartUpload::builder().parts(part).build();
                let complete = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
                self.done(answered(complete.multipart_upload(parts).send().await)).map(drop)
            }
            _ => {
                let (number, content) = (1 + self.random.below(3) as i32, self.fresh("part"));
                after.uploads.get_mut(&key).expect("it is there").parts.insert(number, UNANSWERED_ID.to_owned());
                self.pending = Some(after);
                self.uploading.clone_from(&content);
                let part = client.upload_part().bucket(bucket).key(&key).upload_id(id).part_number(number);
                let put = self.done(answered(part.body(content.clone().into_bytes().into()).send().await))?;
                let e_tag = put.e_tag().expect("it has one").to_owned();
                self.contents.insert(e_tag.clone(), content);
                self.model.uploads.get_mut(&key).expect("it is there").parts.insert(number, e_tag);
                Ok(())
            }
        }
    }

    fn done<T>(&mut self, answer: Option<T>) -> Result<T, Gone> {
        let answer = answer.ok_or(Gone)?;
        self.model = self.pending.take().expect("the request put it there");
        Ok(answer)
    }
}

/// A type whose version can't be used for another description.
pub(crate) fn type_input(provider: &str, version: &str, description: &str) -> Value {
    let property = |name: &str, secret: bool| json!({"name": name, "required": true, "key": false, "secret": secret, "description": description});
    json!({
        "category": "Test", "provider": provider, "version": version,
        "configurationProperties": [property("Command", false), property("Token", true)],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
        "tags": [{"key": "kind", "value": version}],
    })
}
