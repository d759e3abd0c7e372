//! Checks of how a run ended.

use std::io::Read;

use aws_sdk_codepipeline::types::PipelineExecutionStatus;

use super::scenario::{Scenario, large_text};
use super::stage::{LEDGER, Stage};
use super::wire::Passed;
use crate::support::STORE;

impl Stage {
    /// Checks that everything ended as it should, exactly once.
    ///
    /// # Errors
    ///
    /// What did not.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let status = self.world.execution_status("p", &self.execution).await;
        let is_machine = self.scenario.is_machine();
        let ran = std::fs::read_to_string(&self.ran).unwrap_or_default().lines().count();
        if let Some((number, _)) = self.fault {
            same("whether the request came that was to go wrong", &(self.wire.passed().len() >= number), &true)?;
        }
        same("executions of the state machine", &self.machines.executions(), &usize::from(is_machine))?;
        match self.died() {
            // CodePipeline waits until the action's timeout. The ledger does not protect from this.
            Some(Holding::Nothing) if self.scenario == Scenario::Invoked => {
                same("how often the command ran", &ran, &0)?;
                return same("the execution", &status, &PipelineExecutionStatus::Failed);
            }
            // A command does not run again when it is unknown how far it came.
            Some(Holding::Job) if !is_machine => {
                same("whether the command ran more than once", &(ran > 1), &false)?;
                same("the execution", &status, &PipelineExecutionStatus::Failed)?;
            }
            _ => {
                same("the execution", &status, &self.scenario.ends_as())?;
                same("how often the command ran", &ran, &usize::from(!is_machine))?;
            }
        }
        let left = std::fs::read_dir(self.world.work_folder()).map_or(0, Iterator::count);
        same("folders that are left", &left, &0)?;
        if self.scenario == Scenario::Abandoned {
            return self.check_abandoned();
        }
        let reported = self.jobs(|what| what.starts_with("Put") && what.ends_with("Result"));
        if self.scenario == Scenario::Invoked {
            same("how many reports were taken", &reported.len(), &1)?;
        } else {
            same("the jobs that were reported", &reported, &self.jobs(|what| what.starts_with("Acknowledge")))?;
            // If one job looks at a state machine twice, one job less looks at it.
            let expected = if is_machine { 2 + usize::from(self.died().is_none())..=3 } else { 1..=1 };
            same("whether there were as many jobs as expected", &expected.contains(&reported.len()), &true)?;
        }
        let failed = self.jobs(|what| what.ends_with("FailureResult")).len();
        same("failures", &failed, &usize::from(status == PipelineExecutionStatus::Failed))?;
        if status == PipelineExecutionStatus::Succeeded {
            self.check_outputs().await?;
        }
        self.check_uploads().await
    }

    /// The first job was reported. The service refuses the second job's report, and the work outside is stopped. The
    /// reason is the refusal, or the event of the abandoned action if an unanswered report may be the one that was
    /// refused.
    fn check_abandoned(&self) -> Result<(), String> {
        let reported = self.jobs(|what| what.starts_with("Put") && what.ends_with("Result"));
        same("how many reports were taken", &reported.len(), &1)?;
        let started = self.machines.calls("StartExecution");
        let execution = self.machines.execution(started[0]["name"].as_str().unwrap()).unwrap();
        if self.fault.is_none() {
            same("how often it was stopped", &self.machines.calls("StopExecution").len(), &2)?;
        }
        same("the state machine's execution", &execution.status.as_str(), &"ABORTED")
    }

    /// No upload is left, unless the worker could not know of it or died before it could abort it.
    async fn check_uploads(&self) -> Result<(), String> {
        let struck = self.fault.map(|(number, kind)| (self.wire.passed()[number - 1].what.clone(), kind));
        let excused = struck.is_some_and(|(what, kind)| kind.kills() || what.starts_with("begin an upload"));
        let listed = self.world.s3.list_multipart_uploads().bucket(STORE).send().await.unwrap();
        same("whether uploads are left", &(listed.uploads().is_empty() || excused), &true)
    }

    /// The phase of the worker's entry when it died, if it died.
    fn died(&self) -> Option<Holding> {
        let (number, _) = self.fault.filter(|(_, kind)| kind.kills())?;
        let passed = self.wire.passed();
        // A request that ran concurrently may follow. The next worker's first request is a poll or a listing.
        let is_next = |request: &Passed| request.what.starts_with("Poll") || request.what.starts_with("list");
        let concurrent = passed[number..].iter().take_while(|request| !is_next(request)).count();
        let own = passed.iter().take(number + concurrent);
        let written = own.filter(|request| request.what == "PUT ledger" && request.succeeded());
        // An invoked job needs no claim before it is held.
        let steps = written.count() + usize::from(self.scenario == Scenario::Invoked);
        Some(match steps {
            0 | 1 => Holding::Nothing,
            2 => Holding::Job,
            _ => Holding::Outcome,
        })
    }

    /// The jobs in the successful requests, once for each request.
    fn jobs(&self, what: fn(&str) -> bool) -> Vec<String> {
        let passed = self.wire.passed().into_iter();
        let taken = passed.filter(|request| what(&request.what) && request.succeeded());
        let mut jobs: Vec<_> = taken.filter_map(|request| request.job).collect();
        jobs.sort_unstable();
        jobs
    }

    /// Checks that each output artifact is an archive of its content.
    async fn check_outputs(&self) -> Result<(), String> {
        let listed = self.world.codepipeline.list_action_executions().pipeline_name("p").send().await.unwrap();
        let act = listed.action_execution_details().iter().find(|it| it.action_name() == Some("Act")).unwrap();
        for artifact in act.output().unwrap().output_artifacts() {
            let place = artifact.s3_location().unwrap();
            let get = self.world.s3.get_object().bucket(place.bucket().unwrap()).key(place.key().unwrap());
            let Ok(object) = get.send().await else {
                return Err(format!("there is no {}", artifact.name().unwrap()));
            };
            let content = object.body.collect().await.unwrap().to_vec();
            let mut archive =
                ::zip::ZipArchive::new(std::io::Cursor::new(content)).map_err(|error| error.to_string())?;
            let names: Vec<_> =
                (0..archive.len()).map(|n| archive.by_index(n).unwrap().name().unwrap().to_string()).collect();
            let wanted = match (self.scenario, artifact.name()) {
                (Scenario::Custom, Some("Second")) => "More",
                (Scenario::Continued, _) => "First",
                _ => "Source",
            };
            same("the artifact", &names, &vec![wanted.to_owned()])?;
            if self.scenario == Scenario::Large {
                let mut text = String::new();
                archive.by_index(0).unwrap().read_to_string(&mut text).map_err(|error| error.to_string())?;
                same("whether the artifact is whole", &(text == large_text().repeat(5)), &true)?;
            }
        }
        Ok(())
    }

    /// The sizes of the ledger's entries.
    pub(crate) async fn entries(&self) -> Vec<i64> {
        let listed = self.world.s3.list_objects_v2().bucket(LEDGER).send().await.unwrap();
        listed.contents().iter().filter_map(aws_sdk_s3::types::Object::size).collect()
    }

    /// How many jobs in the ledger are not done. The mark of a finished job has no content.
    pub(crate) async fn unfinished(&self) -> usize {
        self.entries().await.into_iter().filter(|size| *size > 0).count()
    }

    /// The requests of the run, to read after a failure.
    pub(crate) fn story(&self) -> String {
        let mut lines: Vec<(usize, String, usize)> = Vec::new();
        for (index, Passed { what, answer, .. }) in self.wire.passed().into_iter().enumerate() {
            let answer =
                answer.map(|(status, body)| format!("{status} {}", body["__type"].as_str().unwrap_or_default()));
            let line = format!("{what} {}", answer.as_deref().unwrap_or("-"));
            match lines.last_mut() {
                Some((_, same, times)) if *same == line => *times += 1,
                _ => lines.push((index + 1, line, 1)),
            }
        }
        let told = |(number, line, times): (usize, String, usize)| match times {
            1 => format!("  {number:3} {line}\n"),
            _ => format!("  {number:3} {line}, {times} times\n"),
        };
        lines.into_iter().map(told).collect()
    }
}

/// How far a worker came with its job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holding {
    /// The worker has at most announced that it will take the job.
    Nothing,
    Job,
    /// The worker has written the report into the ledger, or has sent it.
    Outcome,
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, should_be: &T) -> Result<(), String> {
    if is == should_be { Ok(()) } else { Err(format!("{what}: {is:?}, and not {should_be:?}")) }
}
