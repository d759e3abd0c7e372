//! The lines that the user sees, coloured on a terminal.

use std::io::{IsTerminal, Write};

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
    /// Masked in every line. The emulator masks them in the output of actions.
    secrets: Secrets,
    /// Keys of AWS, masked in output alone: the command that approves shows the keys of the run.
    keys: Secrets,
}

impl Screen {
    /// Colours are for a terminal, unless the environment has `NO_COLOR` (<https://no-color.org>).
    pub(super) fn new(no_colour: bool, secrets: Secrets, keys: Secrets) -> Self {
        Self { colours: !no_colour && std::io::stdout().is_terminal(), secrets, keys }
    }

    /// The secrets. Actions add those that they find.
    pub(super) fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// Prints a line that begins with a coloured word.
    pub(super) fn say(&self, colour: Colour, word: &str, rest: &str) {
        let rest = self.plain(rest);
        self.print(&format!("{} {}", self.coloured(colour, &self.plain(word)), self.keys.mask(&rest)));
    }

    /// Prints a line of the output of an action, a worker or a function.
    pub(super) fn output(&self, name: &str, text: &str) {
        let text = self.secrets.mask(text);
        let text = self.keys.mask(&text);
        self.print(&format!("{} {text}", self.coloured(Colour::Grey, &format!("[{}]", self.plain(name)))));
    }

    /// Prints a line.
    pub(super) fn line(&self, text: &str) {
        self.print(&self.plain(text));
    }

    /// A text without secrets, and without control characters: they may come from a template and would control the terminal.
    pub(super) fn plain(&self, text: &str) -> String {
        printable(&self.secrets.mask(text))
    }

    /// The reader of standard output may be gone, which ends no execution.
    #[expect(clippy::unused_self, reason = "it is a part of the screen")]
    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    fn coloured(&self, colour: Colour, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", colour as u8) } else { text.to_owned() }
    }
}

/// The text with a replacement for each control character, except the ends of lines and tabs.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_template_does_not_control_the_terminal() {
        let screen = Screen::new(true, Secrets::default(), Secrets::default());
        assert_eq!(screen.plain("a\x1b[2J\x07b\tc\nd"), "a\u{fffd}[2J\u{fffd}b\tc\nd");
    }
}
