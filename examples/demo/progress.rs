//! Shows the pipeline's progress: a spinner for each action on a terminal, or else a line for each change.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use aws_sdk_codepipeline::operation::get_pipeline_state::GetPipelineStateOutput;
use aws_sdk_codepipeline::types::{ActionExecution, ActionExecutionStatus};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// One action in the pipeline's state.
pub(crate) struct ActionState {
    /// `Stage / Action`.
    pub(crate) name: String,
    /// `None` until it has started.
    pub(crate) status: Option<ActionExecutionStatus>,
    /// Its summary, or the error message of a failed action.
    pub(crate) said: Option<String>,
    /// Its progress, if it reports any.
    pub(crate) percent: Option<i32>,
}

/// Returns the pipeline's actions in order.
pub(crate) fn actions(state: &GetPipelineStateOutput) -> Vec<ActionState> {
    let mut actions = Vec::new();
    for stage in state.stage_states() {
        for action in stage.action_states() {
            let latest = action.latest_execution();
            let error = latest.and_then(|it| it.error_details()?.message());
            actions.push(ActionState {
                name: format!("{} / {}", stage.stage_name().unwrap_or("?"), action.action_name().unwrap_or("?")),
                status: latest.and_then(|it| it.status().cloned()),
                percent: latest.and_then(ActionExecution::percent_complete),
                said: error.or_else(|| latest.and_then(|it| it.summary())).map(str::to_owned),
            });
        }
    }
    actions
}

/// Shows changes of the actions' states.
pub(crate) struct Progress {
    bars: Option<MultiProgress>,
    shown: BTreeMap<String, (ProgressBar, String)>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bars = std::io::stdout().is_terminal().then(MultiProgress::new);
        Self { bars, shown: BTreeMap::new() }
    }

    pub(crate) fn update(&mut self, actions: &[ActionState]) {
        for action in actions {
            let text = line(action);
            let (bar, shown) =
                self.shown.entry(action.name.clone()).or_insert_with(|| (new_bar(self.bars.as_ref()), String::new()));
            if *shown == text {
                continue;
            }
            shown.clone_from(&text);
            match (&self.bars, &action.status) {
                // Only a terminal shows waiting actions.
                (None, None) => {}
                (None, Some(_)) => println!("{text}"),
                (Some(_), _) if is_over(action) => bar.finish_with_message(text),
                (Some(_), _) => bar.set_message(text),
            }
        }
    }
}

fn new_bar(bars: Option<&MultiProgress>) -> ProgressBar {
    let Some(bars) = bars else { return ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{spinner} {msg}").expect("the template is well formed");
    let bar = bars.add(ProgressBar::new_spinner().with_style(style));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn is_over(action: &ActionState) -> bool {
    action.status.as_ref().is_some_and(|status| *status != ActionExecutionStatus::InProgress)
}

/// One action's state in a line. It has only the first line of the message, because a failure's message holds the whole output.
fn line(action: &ActionState) -> String {
    let status = action.status.as_ref().map_or("waiting", ActionExecutionStatus::as_str);
    let said = action.said.as_deref().and_then(|said| said.lines().next()).unwrap_or_default();
    let percent =
        action.percent.filter(|_| !is_over(action)).map(|percent| format!("{percent:>3} % ")).unwrap_or_default();
    format!("{:<18} {status:<12} {percent}{said}", action.name)
}
