//! `completions` prints a script that completes the command line in a shell.

use std::io::{Write, stdout};

use clap::{Args, Command, ValueEnum};

/// Print a script that completes this command line in a shell
///
/// For bash: `source <(codepipeline-local completions bash)` in ~/.bashrc. For zsh, write it to a file `_codepipeline-local` in a folder of
/// $fpath. For fish, write it to ~/.config/fish/completions/codepipeline-local.fish.
#[derive(Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// Prints the script for the command line `of`.
    pub(super) fn run(self, mut of: Command) -> Result<(), String> {
        let shell = match self.shell {
            Shell::Bash => clap_complete::Shell::Bash,
            Shell::Zsh => clap_complete::Shell::Zsh,
            Shell::Fish => clap_complete::Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut of, "codepipeline-local", &mut script);
        let script = with_one_name(&String::from_utf8_lossy(&script));
        stdout().write_all(script.as_bytes()).map_err(|error| format!("could not write to standard output: {error}"))
    }
}

/// Gives the program one name in the script for bash. `clap_complete` 4.6.11 writes its hyphen in two ways. So bash finds no flags after a
/// subcommand (clap-rs/clap, issue 6421). This changes nothing once `clap_complete` writes one.
fn with_one_name(script: &str) -> String {
    script.replace("codepipeline__subcmd__local", "codepipeline__local")
}
