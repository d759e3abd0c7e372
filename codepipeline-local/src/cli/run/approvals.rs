//! Manual approvals: shows them, and asks the person at the terminal.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::screen::{Colour, Screen};
use crate::quoted::word;
use crate::server::Emulator;

/// The characters that the summary of an approval may have (API reference, "ApprovalResult").
const LONGEST_COMMENT: usize = 512;

/// An approval that waits for an answer.
pub(super) struct Pending {
    stage: String,
    action: String,
    token: String,
    /// `CustomData`, `ExternalEntityLink` and `NotificationArn` with their variables resolved.
    configuration: Value,
}

/// The approver of a run.
pub(super) enum Approver {
    /// `--yes`.
    Everything,
    /// The person at the terminal, whose lines arrive here.
    Terminal(mpsc::UnboundedReceiver<String>),
    /// Someone with the AWS CLI.
    Caller,
}

impl Approver {
    /// The approver that the flags and the terminal call for.
    pub(super) fn of(yes: bool) -> Self {
        match (yes, std::io::stdin().is_terminal()) {
            (true, _) => Self::Everything,
            (false, true) => Self::Terminal(lines()),
            (false, false) => Self::Caller,
        }
    }
}

/// The lines of standard input. A thread of its own reads them, because a read of a terminal can't be ended, and must not delay the end of
/// the program.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The approvals that wait, in their order.
pub(super) struct Approvals {
    approver: Approver,
    pipeline: String,
    /// The begin of a command that calls the emulator, with its keys.
    caller: String,
    screen: Screen,
    waiting: Vec<Pending>,
}

impl Approvals {
    pub(super) fn new(approver: Approver, pipeline: &str, emulator: &Emulator, screen: Screen) -> Self {
        let caller = caller(emulator.environment());
        Self { approver, pipeline: pipeline.to_owned(), caller, screen, waiting: Vec::new() }
    }

    /// Shows an approval that has begun, and answers it or asks.
    pub(super) async fn begin(&mut self, emulator: &Emulator, pending: Pending) -> Result<(), String> {
        self.show(&pending);
        match &mut self.approver {
            Approver::Everything => self.answer(emulator, &pending, true, "approved by --yes").await,
            Approver::Caller => {
                self.screen.line(&self.command(&pending));
                Ok(())
            }
            Approver::Terminal(lines) => {
                if self.waiting.is_empty() {
                    // A line that was typed before the question does not answer it.
                    while lines.try_recv().is_ok() {}
                }
                self.waiting.push(pending);
                if self.waiting.len() == 1 {
                    self.ask();
                }
                Ok(())
            }
        }
    }

    /// The next line of the person at the terminal. Without an open question, it waits for ever.
    pub(super) async fn line(&mut self) -> Option<String> {
        match &mut self.approver {
            Approver::Terminal(lines) if !self.waiting.is_empty() => lines.recv().await,
            _ => std::future::pending().await,
        }
    }

    /// Takes a line as the answer to the first question. `None` means that the terminal has closed.
    pub(super) async fn answered(&mut self, emulator: &Emulator, line: Option<&str>) -> Result<(), String> {
        let Some(line) = line else {
            self.approver = Approver::Caller;
            for pending in std::mem::take(&mut self.waiting) {
                self.screen.line(&self.command(&pending));
            }
            return Ok(());
        };
        let Some(approved) = decision(line) else {
            self.ask();
            return Ok(());
        };
        let comment = line.trim().split_once(char::is_whitespace).map_or("", |(_, comment)| comment.trim());
        let length = comment.chars().count();
        if length > LONGEST_COMMENT {
            let why = format!("  the comment has {length} characters, and {LONGEST_COMMENT} are allowed: shorten it");
            self.screen.line(&why);
            self.ask();
            return Ok(());
        }
        let pending = self.waiting.remove(0);
        self.answer(emulator, &pending, approved, comment).await?;
        if !self.waiting.is_empty() {
            self.ask();
        }
        Ok(())
    }

    /// Forgets an approval that someone else has answered, or that has timed out.
    pub(super) fn ended(&mut self, stage: &str, action: &str) {
        self.waiting.retain(|pending| pending.stage != stage || pending.action != action);
    }

    fn show(&self, pending: &Pending) {
        let Pending { stage, action, token, configuration } = pending;
        self.screen.say(Colour::Yellow, "approval", &format!("{stage}/{action} waits for an answer"));
        for (key, name) in [("CustomData", "comment"), ("ExternalEntityLink", "link"), ("NotificationArn", "notifies")]
        {
            if let Some(value) = configuration[key].as_str() {
                self.screen.line(&format!("  {name}: {value}"));
            }
        }
        self.screen.line(&format!("  token: {token}"));
    }

    fn ask(&self) {
        if let Some(Pending { stage, action, .. }) = self.waiting.first() {
            self.screen.line(&format!("  {stage}/{action}: write approve or reject, and a comment if you like"));
        }
    }

    /// The command of the AWS CLI that approves.
    fn command(&self, pending: &Pending) -> String {
        let Pending { stage, action, token, .. } = pending;
        let [pipeline, stage, action, token] = [&self.pipeline, stage, action, token].map(|text| word(text));
        let caller = &self.caller;
        format!(
            "  to approve: {caller} codepipeline put-approval-result --pipeline-name {pipeline} --stage-name {stage} \
             --action-name {action} --token {token} --result status=Approved,summary=ok"
        )
    }

    async fn answer(
        &self,
        emulator: &Emulator,
        pending: &Pending,
        approved: bool,
        comment: &str,
    ) -> Result<(), String> {
        let Pending { stage, action, token, .. } = pending;
        let status = if approved { "Approved" } else { "Rejected" };
        let input = json!({
            "pipelineName": self.pipeline, "stageName": stage, "actionName": action, "token": token,
            "result": {"status": status, "summary": comment},
        });
        let answered = emulator.call("PutApprovalResult", &input).await;
        answered.map(drop).map_err(|why| format!("could not answer the approval {stage}/{action}: {why}"))
    }
}

/// `aws` with the variables that lead it to the emulator. Of the two lists of hosts that it calls without a proxy, it prefers `no_proxy`.
fn caller(environment: &BTreeMap<String, String>) -> String {
    let read = environment.iter().filter(|(name, _)| name.as_str() != "NO_PROXY");
    let variables = read.map(|(name, value)| format!("{name}={} ", word(value)));
    variables.chain(["aws".to_owned()]).collect()
}

/// Whether the line approves or rejects. `None` if it does neither.
fn decision(line: &str) -> Option<bool> {
    let word = line.split_whitespace().next()?.to_ascii_lowercase();
    match word.as_str() {
        "approve" | "approved" | "yes" | "y" => Some(true),
        "reject" | "rejected" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// The approval of this action that waits. `None` if it has ended meanwhile.
pub(super) async fn pending(
    emulator: &Emulator,
    pipeline: &str,
    (stage, action): (&str, &str),
    configuration: Value,
) -> Result<Option<Pending>, String> {
    let state = emulator.call("GetPipelineState", &json!({"name": pipeline})).await?;
    let find = |list: &Value, key: &str, name: &str| {
        list.as_array().into_iter().flatten().find(|entry| entry[key] == name).cloned()
    };
    let state = find(&state["stageStates"], "stageName", stage)
        .and_then(|stage| find(&stage["actionStates"], "actionName", action));
    let token = state.and_then(|state| state["latestExecution"]["token"].as_str().map(str::to_owned));
    Ok(token.map(|token| Pending { stage: stage.to_owned(), action: action.to_owned(), token, configuration }))
}
