//! Reads everything of a client after a restart, and compares it with the client's model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Client, type_input};
use crate::model::{Execution, Model, Pipeline, Tags, Upload};
use crate::wire::{call, s3};

const STATUSES: [&str; 5] = ["InProgress", "Stopped", "Cancelled", "Succeeded", "Failed"];

async fn ask(at: &str, operation: &str, input: &Value) -> Value {
    let answer = call(at, operation, input).await.expect("nothing kills the server now");
    answer.unwrap_or_else(|error| panic!("{operation} of {input}: {error}"))
}

/// All items of a listing.
async fn list(at: &str, operation: &str, mut input: Value, member: &str) -> Vec<Value> {
    let mut items = Vec::new();
    loop {
        let mut page = ask(at, operation, &input).await;
        items.extend(page[member].as_array_mut().map(std::mem::take).unwrap_or_default());
        match page["nextToken"].take() {
            Value::Null => return items,
            token => input["nextToken"] = token,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is text").to_owned()
}

async fn tags(at: &str, arn: &str) -> Tags {
    let tags = list(at, "ListTagsForResource", json!({"resourceArn": arn}), "tags").await;
    tags.iter().map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect()
}

impl Client {
    /// Compares the client's whole state with its model. An unanswered request has had its whole effect or none.
    pub(crate) async fn check(&mut self, at: &str) {
        let seen = self.observe(at).await;
        let known = std::mem::take(&mut self.model);
        let changed = self.pending.take().map(|pending| pending.with_ids_of(&seen, &known).restarted());
        let known = known.restarted();
        self.model = match changed {
            Some(changed) if seen.clone().read_by(&changed) == changed => changed,
            _ => {
                let comparable = seen.clone().read_by(&known);
                assert!(
                    comparable == known,
                    "after the restart there is\n{comparable:#?}\nand there was\n{known:#?}\nor\n{changed:#?}"
                );
                known
            }
        };
        // Now every action has been read.
        self.model.pipelines = seen.pipelines;
        for upload in self.model.uploads.values() {
            for e_tag in upload.parts.values() {
                self.contents.entry(e_tag.clone()).or_insert_with(|| self.uploading.clone());
            }
        }
        self.check_deleted_types(at).await;
    }

    /// A deleted version is still taken.
    async fn check_deleted_types(&self, at: &str) {
        for version in ["1", "2", "3", "4"] {
            if self.made_types.contains(version) {
                let other = type_input(&self.provider(), version, "something else");
                let answer = call(at, "CreateCustomActionType", &other).await.expect("nothing kills the server now");
                let error = answer.expect_err("the version is taken");
                assert!(error.contains("ActionTypeAlreadyExistsException"), "{error}");
            }
        }
    }

    async fn observe(&self, at: &str) -> Model {
        let mut model = Model::default();
        for pipeline in list(at, "ListPipelines", json!({}), "pipelines").await {
            let name = text(&pipeline["name"]);
            if name.starts_with(&self.prefix()) {
                let found = self.observe_pipeline(at, &name).await;
                model.pipelines.insert(name, found);
            }
        }
        for found in list(at, "ListActionTypes", json!({"actionOwnerFilter": "Custom"}), "actionTypes").await {
            if found["id"]["provider"] == self.provider() {
                let version = text(&found["id"]["version"]);
                let tags = tags(at, &self.type_arn(&version)).await;
                model.types.insert(version, tags);
            }
        }
        (model.objects, model.uploads) = self.observe_bucket(at).await;
        model
    }

    async fn observe_pipeline(&self, at: &str, name: &str) -> Pipeline {
        let found = ask(at, "GetPipeline", &json!({"name": name})).await;
        let state = ask(at, "GetPipelineState", &json!({"name": name})).await;
        let arn = format!("arn:aws:codepipeline:us-east-1:123456789012:{name}");
        let mut pipeline = Pipeline {
            version: found["pipeline"]["version"].as_u64().expect("it has one"),
            command: text(&found["pipeline"]["stages"][1]["actions"][0]["configuration"]["Command"]),
            tags: tags(at, &arn).await,
            disabled: state["stageStates"][1]["inboundTransitionState"]["disabledReason"].as_str().map(str::to_owned),
            executions: BTreeMap::new(),
        };
        let input = json!({"pipelineName": name});
        for found in list(at, "ListPipelineExecutions", input, "pipelineExecutionSummaries").await {
            let id = text(&found["pipelineExecutionId"]);
            let status = STATUSES.into_iter().find(|known| found["status"] == *known).expect("it is one of these");
            assert_ne!(status, "InProgress", "{found}");
            if status == "Stopped" {
                assert!(found["stopTrigger"]["reason"].to_string().contains("restarted"), "{found}");
            }
            let input = json!({"pipelineName": name, "filter": {"pipelineExecutionId": id}});
            let actions = Some(ask(at, "ListActionExecutions", &input).await);
            assert!(!actions.as_ref().is_some_and(|actions| actions.to_string().contains("InProgress")), "{found}");
            pipeline.executions.insert(id, Execution { status, actions });
        }
        pipeline
    }

    async fn observe_bucket(&self, at: &str) -> (BTreeMap<String, String>, BTreeMap<String, Upload>) {
        let (client, bucket) = (s3(at), self.bucket());
        let (mut objects, mut uploads) = (BTreeMap::new(), BTreeMap::new());
        let Ok(listed) = client.list_objects_v2().bucket(&bucket).send().await else {
            return (objects, uploads);
        };
        for object in listed.contents() {
            let key = object.key().expect("it has one");
            let got = client.get_object().bucket(&bucket).key(key).send().await.expect("it was listed");
            let content = got.body.collect().await.expect("it comes whole").to_vec();
            objects.insert(key.to_owned(), String::from_utf8(content).expect("it is text"));
        }
        let begun = client.list_multipart_uploads().bucket(&bucket).send().await.expect("the bucket is there");
        for upload in begun.uploads() {
            let (key, id) = (upload.key().expect("it has one"), upload.upload_id().expect("it has one"));
            let listed = client.list_parts().bucket(&bucket).key(key).upload_id(id).send().await;
            let parts = listed
                .expect("it was listed")
                .parts()
                .iter()
                .map(|part| (part.part_number().expect("it has one"), part.e_tag().expect("it has one").to_owned()))
                .collect();
            let double = uploads.insert(key.to_owned(), Upload { id: id.to_owned(), parts });
            assert!(double.is_none(), "two uploads of {key}");
        }
        (objects, uploads)
    }
}
