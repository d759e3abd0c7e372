//! The lines that the user sees, coloured on a terminal.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use crate::providers::Secrets;

/// The colour of a word, as an SGR code of ECMA-48.
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
    Grey = 90,
}

/// Standard output.
#[derive(Clone)]
pub(super) struct Screen {
    colours: bool,
    /// Masked in the output of workers and functions. The emulator masks them in that of actions.
    secrets: Arc<Secrets>,
}

impl Screen {
    /// Colours are for a terminal, unless the environment has `NO_COLOR` (<https://no-color.org>).
    pub(super) fn new(no_colour: bool, secrets: Secrets) -> Self {
        Self { colours: !no_colour && std::io::stdout().is_terminal(), secrets: Arc::new(secrets) }
    }

    /// Prints a line that begins with a coloured word.
    pub(super) fn say(&self, colour: Colour, word: &str, rest: &str) {
        self.line(&format!("{} {rest}", self.coloured(colour, word)));
    }

    /// Prints a line of the output of an action, a worker or a function.
    pub(super) fn output(&self, name: &str, text: &str) {
        let text = self.secrets.mask(text);
        self.line(&format!("{} {text}", self.coloured(Colour::Grey, &format!("[{name}]"))));
    }

    /// Prints a line. The reader of standard output may be gone, which ends no execution.
    pub(super) fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    fn coloured(&self, colour: Colour, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", colour as u8) } else { text.to_owned() }
    }
}
