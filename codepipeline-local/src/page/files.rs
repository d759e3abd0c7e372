//! The page's static files.

use bytes::Bytes;
use http::Response;
use s3s::Body;

use super::reply::content;

const HTML: &str = "text/html; charset=utf-8";

/// A file of the page.
struct File {
    /// The path below `/_/`.
    path: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

/// All files of the page. A file of `web/` that is missing here fails a test.
const FILES: [File; 1] = [File { path: "", kind: HTML, content: include_bytes!("web/index.html") }];

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
