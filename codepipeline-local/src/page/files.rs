//! The page's static files.

use bytes::Bytes;
use http::Response;
use s3s::Body;

use super::reply::content;

const CSS: &str = "text/css; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const ICON: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of the page.
struct File {
    /// The path below `/_/`.
    path: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

/// All files of the page. A file of `web/` that is missing here fails a test.
const FILES: &[File] = &[
    File { path: "action.js", kind: SCRIPT, content: include_bytes!("web/action.js") },
    File { path: "announce.js", kind: SCRIPT, content: include_bytes!("web/announce.js") },
    File { path: "artifacts.js", kind: SCRIPT, content: include_bytes!("web/artifacts.js") },
    File { path: "calls.js", kind: SCRIPT, content: include_bytes!("web/calls.js") },
    File { path: "dialogs.js", kind: SCRIPT, content: include_bytes!("web/dialogs.js") },
    File { path: "element.js", kind: SCRIPT, content: include_bytes!("web/element.js") },
    File { path: "execution.css", kind: CSS, content: include_bytes!("web/execution.css") },
    File { path: "execution.js", kind: SCRIPT, content: include_bytes!("web/execution.js") },
    File { path: "executions.js", kind: SCRIPT, content: include_bytes!("web/executions.js") },
    File { path: "fold.js", kind: SCRIPT, content: include_bytes!("web/fold.js") },
    File { path: "format.js", kind: SCRIPT, content: include_bytes!("web/format.js") },
    File { path: "icon.svg", kind: ICON, content: include_bytes!("web/icon.svg") },
    File { path: "", kind: HTML, content: include_bytes!("web/index.html") },
    File { path: "live.js", kind: SCRIPT, content: include_bytes!("web/live.js") },
    File { path: "log.js", kind: SCRIPT, content: include_bytes!("web/log.js") },
    File { path: "main.js", kind: SCRIPT, content: include_bytes!("web/main.js") },
    File { path: "parts.js", kind: SCRIPT, content: include_bytes!("web/parts.js") },
    File { path: "pipelines.js", kind: SCRIPT, content: include_bytes!("web/pipelines.js") },
    File { path: "route.js", kind: SCRIPT, content: include_bytes!("web/route.js") },
    File { path: "stage.js", kind: SCRIPT, content: include_bytes!("web/stage.js") },
    File { path: "status.js", kind: SCRIPT, content: include_bytes!("web/status.js") },
    File { path: "style.css", kind: CSS, content: include_bytes!("web/style.css") },
    File { path: "text.js", kind: SCRIPT, content: include_bytes!("web/text.js") },
    File { path: "timeline.js", kind: SCRIPT, content: include_bytes!("web/timeline.js") },
    File { path: "waits.js", kind: SCRIPT, content: include_bytes!("web/waits.js") },
];

/// The file at a path below `/_/`.
pub(super) fn file(path: &str) -> Option<Response<Body>> {
    let file = FILES.iter().find(|file| file.path == path)?;
    Some(content(file.kind, Body::from(Bytes::from_static(file.content))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page/web");
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = if name == "index.html" { "" } else { &name };
            let found = FILES.iter().find(|file| file.path == path).expect(&name);
            assert_eq!(found.content, std::fs::read(entry.path()).unwrap(), "{name}");
        }
        assert!(file("").is_some() && file("../mod.rs").is_none() && file("web/index.html").is_none());
    }
}
