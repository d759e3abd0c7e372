use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

struct Folder {
    files: ReportFiles,
    _parent: tempfile::TempDir,
}

fn folder() -> Folder {
    let parent = tempfile::tempdir().unwrap();
    std::fs::create_dir(parent.path().join("report")).unwrap();
    Folder { files: ReportFiles::create(parent.path().join("report")).unwrap(), _parent: parent }
}

impl Folder {
    fn summary(&self) -> Result<Option<String>, String> {
        self.files.read_summary(&Redactor::new(["correct-horse-battery"])).map_err(|failure| failure.message)
    }

    fn write(&self, file: ReportFile, content: impl AsRef<[u8]>) {
        std::fs::write(self.files.path(file), content).unwrap();
    }

    /// The message about a file that can't be read, or an empty text.
    fn message(&self) -> String {
        let variables = self.files.read_variables().map(|variables| assert!(variables.is_empty()));
        let revision = self.files.read_revision().map(|revision| assert!(revision.is_none()));
        let id = self.files.read_external_id().map(|id| assert_eq!(id, None));
        let summary = self.files.read_summary(&Redactor::default()).map(|summary| assert_eq!(summary, None));
        let failed = [variables, revision, id, summary].into_iter().filter_map(Result::err);
        failed.map(|failure| failure.message).collect()
    }
}

#[test]
fn empty_and_missing_files_have_no_effect() {
    let folder = folder();
    assert_eq!(folder.message(), "");
    ALL.iter().for_each(|file| std::fs::remove_file(folder.files.path(*file)).unwrap());
    assert_eq!(folder.message(), "");
}

#[test]
fn links_pipes_and_folders_are_not_read() {
    let replace: [fn(&Path); 4] = [
        |path| symlink("/etc/passwd", path).unwrap(),
        |path| symlink("/proc/self/environ", path).unwrap(),
        |path| rustix::fs::mkfifoat(rustix::fs::CWD, path, Mode::RWXU).unwrap(),
        |path| std::fs::create_dir(path).unwrap(),
    ];
    for file in ALL {
        for make in replace {
            let folder = folder();
            std::fs::remove_file(folder.files.path(file)).unwrap();
            make(&folder.files.path(file));
            let variable = file.variable;
            let refused = format!("the command replaced the file {variable} by something that is not a regular file");
            assert_eq!(folder.message(), refused);
        }
    }
}

#[test]
fn a_replaced_folder_is_not_read() {
    let folder = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    ALL.iter().for_each(|file| std::fs::write(elsewhere.path().join(file.name), "revision=elsewhere").unwrap());
    std::fs::rename(&folder.files.folder, folder.files.folder.with_extension("away")).unwrap();
    symlink(elsewhere.path(), &folder.files.folder).unwrap();
    assert_eq!(folder.message(), "");
}

#[test]
fn a_summary_is_plain_in_any_encoding() {
    let folder = folder();
    folder.write(SUMMARY, b"\xef\xbb\xbf\x1b[32mok\x1b[0m\0\r\n");
    assert_eq!(folder.summary().unwrap().as_deref(), Some("ok"));
    folder.write(SUMMARY, b"\xff\xfeo\0k\0\r\0\n\0");
    assert_eq!(folder.summary().unwrap().as_deref(), Some("ok"));
    folder.write(SUMMARY, "10%\r50%\r100%\r\n");
    assert_eq!(folder.summary().unwrap().as_deref(), Some("100%"));
}

#[test]
fn a_huge_summary_is_cut_and_a_secret_at_the_cut_is_masked() {
    let folder = folder();
    folder.write(SUMMARY, "x".repeat(1024 * 1024));
    assert_eq!(folder.summary().unwrap().unwrap().chars().count(), limits::SUMMARY);

    for before in SUMMARY.limit - 30..SUMMARY.limit + 90 {
        folder.write(SUMMARY, format!("{}correct-horse-battery", " ".repeat(before)));
        let summary = folder.summary().unwrap().unwrap_or_default();
        assert!(["", "****"].contains(&summary.as_str()), "{before}: {summary}");
    }
    std::fs::File::create(folder.files.path(SUMMARY)).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(folder.summary(), Ok(None));
}

#[test]
fn other_huge_files_are_refused() {
    for file in [VARIABLES, REVISION, EXTERNAL_ID] {
        let folder = folder();
        std::fs::File::create(folder.files.path(file)).unwrap().set_len(1 << 40).unwrap();
        let ReportFile { limit, variable, .. } = file;
        assert_eq!(folder.message(), format!("the file {variable} has more than {limit} bytes; write less to it"));
    }
}
