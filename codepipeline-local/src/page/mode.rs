//! The readers of the page.

/// The readers of the page. Buttons need the page's token in every mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageMode {
    /// Every client that reaches the port, as with `serve`.
    #[default]
    Serve,
    /// Only clients with the page's token, as with `run`.
    Run,
}

impl PageMode {
    /// The name of the command.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Run => "run",
        }
    }
}
