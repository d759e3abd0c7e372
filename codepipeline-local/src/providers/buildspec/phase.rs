//! The order of phases, and what follows a failed one.

/// A phase that runs commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Install,
    PreBuild,
    Build,
    PostBuild,
}

impl Phase {
    /// All phases in their order.
    pub(crate) const ALL: [Self; 4] = [Self::Install, Self::PreBuild, Self::Build, Self::PostBuild];

    /// The name in a build specification.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::PreBuild => "pre_build",
            Self::Build => "build",
            Self::PostBuild => "post_build",
        }
    }

    /// The name in CodeBuild's logs and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Install => "INSTALL",
            Self::PreBuild => "PRE_BUILD",
            Self::Build => "BUILD",
            Self::PostBuild => "POST_BUILD",
        }
    }
}

/// The member `on-failure` of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Abort,
    Continue,
}

/// A build's next step after a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It runs the next phase, or uploads the artifacts after the last one.
    Phase,
    /// It uploads the artifacts.
    Upload,
    /// It ends without artifacts.
    End,
}

/// The step after a phase (CodeBuild User Guide, "Build phase transitions", and `on-failure` in the reference).
///
/// A failed `install` or `pre_build` ends the build. A failed `build` is followed by `post_build`. A build that reached `build` uploads
/// its artifacts, even after a failure. `CONTINUE` continues with the next phase. `ABORT` leaves out the phases that come next.
pub(super) fn after(phase: Phase, has_failed: bool, on_failure: Option<OnFailure>) -> Next {
    match (has_failed, on_failure, phase) {
        (false, _, _) | (true, Some(OnFailure::Continue), _) | (true, None, Phase::Build | Phase::PostBuild) => {
            Next::Phase
        }
        (true, Some(OnFailure::Abort), Phase::Build | Phase::PostBuild) => Next::Upload,
        (true, _, Phase::Install | Phase::PreBuild) => Next::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_that_succeeds_leads_to_the_next() {
        for phase in Phase::ALL {
            for on_failure in [None, Some(OnFailure::Abort), Some(OnFailure::Continue)] {
                assert_eq!(after(phase, false, on_failure), Next::Phase, "{phase:?} {on_failure:?}");
            }
        }
    }

    #[test]
    fn failed_phase_leads_where_aws_documents() {
        let next = |on_failure| Phase::ALL.map(|phase| after(phase, true, on_failure));
        assert_eq!(next(None), [Next::End, Next::End, Next::Phase, Next::Phase]);
        assert_eq!(next(Some(OnFailure::Abort)), [Next::End, Next::End, Next::Upload, Next::Upload]);
        assert_eq!(next(Some(OnFailure::Continue)), [Next::Phase; 4]);
    }
}
