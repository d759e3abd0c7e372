//! Runs git, with limits and without hooks, prompts and the network.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// How long a question to git may take.
const QUESTION: Duration = Duration::from_secs(60);
/// How long git may take to copy a repository.
const COPY: Duration = Duration::from_secs(600);
/// The most bytes that git may print: a hundred thousand names of the longest kind that is common.
const MAX_OUTPUT: u64 = 64 * 1024 * 1024;

/// Settings that come before the user's: no program that the repository or its owner has configured runs.
const SETTINGS: [&str; 3] = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false"];

/// Variables that would make git use another repository, as a hook of git sets them (`git rev-parse --local-env-vars`).
const FOREIGN: [&str; 9] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CONFIG_PARAMETERS",
];

/// Why git could not help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitProblem {
    /// The program does not exist.
    #[error("could not find the program git, which knows the ignored files of {0}: install git")]
    Missing(String),
    /// Git took too long.
    #[error("`git {what}` took more than {seconds} s in {folder}")]
    Time {
        /// Its first argument.
        what: String,
        /// The limit.
        seconds: u64,
        /// Where it ran.
        folder: String,
    },
    /// Git failed.
    #[error("`git {what}` failed in {folder}: {why}")]
    Failed {
        /// Its first argument.
        what: String,
        /// Where it ran.
        folder: String,
        /// The text that git printed, or why it could not run.
        why: String,
    },
}

/// An answer of git.
pub(super) struct Answer {
    is_success: bool,
    pub(super) output: Vec<u8>,
    errors: String,
}

/// Git in a folder.
pub(crate) struct Git {
    program: &'static str,
    folder: PathBuf,
}

impl Git {
    pub(super) fn at(folder: &Path) -> Self {
        Self { program: "git", folder: folder.to_owned() }
    }

    /// Whether the folder is in a work tree. Without the program git, it is one if it or a folder above it has a
    /// `.git`, and then this is an error.
    pub(super) async fn is_work_tree(&self) -> Result<bool, GitProblem> {
        let answer = match self.run(&["rev-parse", "--is-inside-work-tree"], QUESTION).await {
            Err(GitProblem::Missing(_)) if !self.folder.ancestors().any(|above| above.join(".git").exists()) => {
                return Ok(false);
            }
            answer => answer?,
        };
        if answer.is_success {
            return Ok(answer.output.starts_with(b"true"));
        }
        if answer.errors.contains("not a git repository") {
            return Ok(false);
        }
        Err(self.failed("rev-parse", answer.errors))
    }

    /// Asks a question that git must be able to answer.
    pub(super) async fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, GitProblem> {
        let answer = self.run(arguments, QUESTION).await?;
        if answer.is_success { Ok(answer.output) } else { Err(self.failed(arguments[0], answer.errors)) }
    }

    /// Asks a question whose answer may be that there is nothing.
    pub(super) async fn look(&self, arguments: &[&str]) -> Result<Option<Vec<u8>>, GitProblem> {
        let answer = self.run(arguments, QUESTION).await?;
        Ok(answer.is_success.then_some(answer.output))
    }

    /// Writes a bundle with the current commit, all branches and all tags.
    pub(super) async fn bundle(&self, into: &Path) -> Result<(), GitProblem> {
        let arguments = [words("bundle create --quiet"), vec![into.as_os_str()], words("HEAD --branches --tags")];
        let answer = self.run(&arguments.concat(), COPY).await?;
        if answer.is_success { Ok(()) } else { Err(self.failed("bundle", answer.errors)) }
    }

    /// Clones a bundle into a folder that does not exist yet. The commit is checked out without a branch, as CodeBuild does it.
    pub(crate) async fn clone_bundle(bundle: &Path, into: &Path) -> Result<(), GitProblem> {
        let git = Self::at(bundle.parent().unwrap_or(bundle));
        let clone = [words("clone --quiet --template= --"), vec![bundle.as_os_str(), into.as_os_str()]].concat();
        let answer = git.run(&clone, COPY).await?;
        if !answer.is_success {
            return Err(git.failed("clone", answer.errors));
        }
        Self::at(into).ask(&["checkout", "--quiet", "--detach"]).await.map(drop)
    }

    async fn run(&self, arguments: &[impl AsRef<OsStr>], limit: Duration) -> Result<Answer, GitProblem> {
        let what = arguments.first().map_or_else(String::new, |first| first.as_ref().to_string_lossy().into_owned());
        let mut command = Command::new(self.program);
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let running = async {
            let mut child = command.spawn()?;
            let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
            let (output, errors) = (child.stdout.take(), child.stderr.take());
            let (output, errors) = tokio::try_join!(read(output), read(errors))?;
            let status = child.wait().await?;
            // Another process may get its id now.
            group.0 = None;
            let errors = String::from_utf8_lossy(&errors).trim().to_owned();
            Ok::<_, io::Error>(Answer { is_success: status.success(), output, errors })
        };
        match tokio::time::timeout(limit, running).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.kind() == ErrorKind::NotFound && self.folder.is_dir() => {
                Err(GitProblem::Missing(self.folder.display().to_string()))
            }
            Ok(Err(error)) => Err(self.failed(&what, error.to_string())),
            Err(_) => {
                Err(GitProblem::Time { what, seconds: limit.as_secs(), folder: self.folder.display().to_string() })
            }
        }
    }

    pub(super) fn failed(&self, what: &str, why: String) -> GitProblem {
        GitProblem::Failed { what: what.to_owned(), folder: self.folder.display().to_string(), why }
    }
}

fn words(text: &str) -> Vec<&OsStr> {
    text.split(' ').map(OsStr::new).collect()
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok(bytes) };
    let read = pipe.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).await?;
    if read as u64 > MAX_OUTPUT {
        return Err(io::Error::other("it printed more than 64 MiB"));
    }
    Ok(bytes)
}

/// Git's process and those that it started. Killed when dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // This fails only if no process is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn slow_git_ends_with_all_that_it_started() {
        let folder = TempDir::new().unwrap();
        let id = folder.path().join("id");
        let alias = format!("alias.wait=!sleep 600 & echo $! > '{}'; wait", id.display());
        let git = Git::at(folder.path());
        let limit = Duration::from_secs(2);
        let error = git.run(&["-c", &alias, "wait"], limit).await.err().unwrap();
        assert!(error.to_string().contains("took more than 2 s"), "{error}");
        let process = Path::new("/proc").join(std::fs::read_to_string(id).unwrap().trim()).join("stat");
        // A process that ended stays as a zombie until its parent has read its status.
        let lives = || std::fs::read_to_string(&process).is_ok_and(|stat| !stat.contains(") Z "));
        while lives() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn missing_git_matters_only_in_a_work_tree() {
        let folder = TempDir::new().unwrap();
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let git = Git { program: "no-such-git", folder: below };
        assert!(!git.is_work_tree().await.unwrap());
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let error = git.is_work_tree().await.unwrap_err().to_string();
        assert!(error.contains("install git"), "{error}");
    }
}
