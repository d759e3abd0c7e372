//! The output of a session's commands.

use super::lines::Lines;

/// Which stream some output came from.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// Shows output line by line, up to a number of bytes.
pub(super) struct Output<'a> {
    left: u64,
    show: &'a (dyn Fn(&str) + Send + Sync),
    stdout: Lines,
    stderr: Lines,
}

/// The commands wrote more than they may.
pub(super) struct TooMuch;

impl<'a> Output<'a> {
    pub(super) fn new(limit: u64, show: &'a (dyn Fn(&str) + Send + Sync)) -> Self {
        Self { left: limit, show, stdout: Lines::default(), stderr: Lines::default() }
    }

    /// Shows the lines that these bytes end. Shows the output up to the limit if there is more.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), TooMuch> {
        let allowed = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let lines = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        lines.push(&bytes[..allowed], self.show);
        self.left -= allowed as u64;
        if allowed < bytes.len() { Err(TooMuch) } else { Ok(()) }
    }

    /// Shows lines without a line break. The command that wrote them has ended.
    pub(super) fn finish(&mut self) {
        self.stdout.finish(self.show);
        self.stderr.finish(self.show);
    }
}
