//! Artifacts to browse and to download.

use std::io::{Cursor, Write};

use http_body_util::BodyExt;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::archives::{gzip, tar, zip};
use crate::browser::{Browser, Reply};
use crate::pipelines::{approval, execution_view, put, started};
use crate::support::Scenario;

/// An artifact whose object the test replaces.
struct Artifact {
    scenario: Scenario,
    browser: Browser,
    /// The query that names the artifact.
    query: String,
    key: String,
}

impl Artifact {
    async fn new() -> Self {
        let scenario = Scenario::start().await;
        let (browser, execution) = started(&scenario, &[approval()]).await;
        let copied = |items: &Value| items["action:Source/Source"]["status"] == "Succeeded";
        let items = browser.view_until(&execution_view(&execution), copied).await;
        let id = items["action:Source/Source"]["id"].as_str().unwrap();
        let action = browser.view(&format!("view=action&action={id}")).await[":action"].clone();
        let key = action["outputs"][0]["key"].as_str().unwrap().to_owned();
        Self { scenario, query: format!("action={id}&side=output&name=Source"), key, browser }
    }

    async fn is(&self, content: &[u8]) {
        put(&self.scenario, "artifact-store", &self.key, content).await;
    }

    async fn get(&self, more: &str) -> Reply {
        self.browser.get(&format!("/_/api/artifact?{}{more}", self.query)).await
    }

    async fn list(&self) -> Value {
        let reply = self.get("").await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        reply.json()
    }
}

const FILES: [(&str, &str); 3] = [("a.txt", "one"), ("b/ü c.txt", "two"), ("b/d.html", "<script>alert(1)</script>")];

fn listed(files: &[(&str, &str)]) -> Value {
    files.iter().map(|(name, content)| json!({"name": name, "bytes": content.len()})).collect()
}

#[tokio::test]
async fn archives_of_every_kind_are_listed() {
    let artifact = Artifact::new().await;
    let with_folder = [("b/", ""), FILES[0], FILES[1], FILES[2]];
    for (kind, content, files) in [
        ("zip", zip(&with_folder), &FILES[..]),
        ("tar", tar(&FILES), &FILES),
        ("tar.gz", gzip(&tar(&FILES)), &FILES),
        ("zip", zip(&[]), &[]),
        ("file", b"PKG-INFO".to_vec(), &[]),
        ("file", gzip(b"plain text"), &[]),
        ("file", Vec::new(), &[]),
    ] {
        artifact.is(&content).await;
        let wanted = json!({
            "bucket": "artifact-store", "key": artifact.key, "bytes": content.len(), "kind": kind,
            "entries": listed(files), "left_out": 0,
        });
        assert_eq!(artifact.list().await, wanted);
        for (name, inside) in files {
            let entry = name.replace('ü', "%C3%BC").replace(' ', "%20");
            let got = artifact.get(&format!("&entry={entry}")).await;
            assert_eq!((got.status, &*got.body), (200, inside.as_bytes()), "{kind} {name}");
        }
        let whole = artifact.get("&whole=1").await;
        assert!(whole.body == content, "{kind}");
        assert_eq!(whole.header("content-length"), content.len().to_string());
        let ending = if kind == "file" { String::new() } else { format!(".{kind}") };
        let shown = whole.header("content-disposition");
        assert!(shown.starts_with(&format!("attachment; filename=\"Source{ending}\";")), "{shown}");
    }
}

#[tokio::test]
async fn downloads_are_never_shown() {
    let artifact = Artifact::new().await;
    artifact.is(&zip(&FILES)).await;
    for more in ["&entry=b/d.html", "&whole=1"] {
        let got = artifact.get(more).await;
        assert_eq!(got.header("content-type"), "application/octet-stream");
        assert!(got.header("content-disposition").starts_with("attachment; "));
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert!(got.header("content-security-policy").contains("default-src 'none'"));
    }
    let name = artifact.get("&entry=b/%C3%BC%20c.txt").await;
    let wanted = "attachment; filename=\"_ c.txt\"; filename*=UTF-8''%C3%BC%20c.txt";
    assert_eq!(name.header("content-disposition"), wanted);
}

#[tokio::test]
async fn hostile_names_are_only_shown() {
    let names = ["../../etc/passwd", "/etc/shadow", "a\"b\r\nX-Evil: 1", "..", "<img src=x onerror=alert(1)>"];
    let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, "content")).collect();
    let artifact = Artifact::new().await;
    for content in [zip(&files), tar(&files)] {
        artifact.is(&content).await;
        assert_eq!(artifact.list().await["entries"], listed(&files));
        for (entry, shown) in [
            ("../../etc/passwd", "filename=\"passwd\""),
            ("/etc/shadow", "filename=\"shadow\""),
            ("a%22b%0D%0AX-Evil:%201", "filename=\"a_b__X-Evil_ 1\""),
            ("..", "filename=\"file\""),
            ("%3Cimg%20src=x%20onerror=alert(1)%3E", "filename=\"_img src=x onerror=alert(1)_\""),
        ] {
            let got = artifact.get(&format!("&entry={entry}")).await;
            assert_eq!(&*got.body, b"content", "{entry}");
            let disposition = got.header("content-disposition");
            assert!(disposition.contains(shown) && !got.headers.contains_key("x-evil"), "{disposition}");
        }
        assert_eq!(artifact.get("&entry=passwd").await.status, 404, "names are compared whole");
    }
}

#[tokio::test]
async fn list_ends_after_10_000_files() {
    let names: Vec<String> = (0..10_003).map(|number| format!("{number}.txt")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let artifact = Artifact::new().await;
    for content in [zip(&files), gzip(&tar(&files))] {
        artifact.is(&content).await;
        let list = artifact.list().await;
        assert_eq!(list["entries"].as_array().unwrap().len(), 10_000);
        assert_eq!((&list["left_out"], list.get("problem")), (&3.into(), None));
        assert_eq!(artifact.get("&entry=10002.txt").await.status, 200, "it can still be downloaded");
    }
}

#[tokio::test]
async fn broken_archives_say_what_is_wrong() {
    let artifact = Artifact::new().await;
    let zipped = zip(&FILES);
    artifact.is(&zipped[..zipped.len() - 30]).await;
    let list = artifact.list().await;
    assert_eq!((&list["kind"], &list["entries"]), (&"zip".into(), &json!([])));
    assert!(list["problem"].as_str().unwrap().contains("the zip"), "{list}");
    let entry = artifact.get("&entry=a.txt").await;
    assert!(entry.status == 400 && entry.message().contains("the zip"), "{:?}", entry.body);
    assert_eq!(artifact.get("&whole=1").await.body.len(), zipped.len() - 30);

    let tarred = tar(&FILES);
    artifact.is(&gzip(&tarred[..512 * 3 + 100])).await;
    let list = artifact.list().await;
    assert_eq!((&list["kind"], &list["entries"][0]["name"]), (&"tar.gz".into(), &"a.txt".into()));
    assert!(list["problem"].as_str().unwrap().contains("the tar"), "{list}");
    assert_eq!(&*artifact.get("&entry=a.txt").await.body, b"one");
}

#[tokio::test]
async fn broken_entry_gives_no_whole_file() {
    let artifact = Artifact::new().await;
    // An entry whose checksum does not fit.
    let broken = |size: usize| {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file("a.txt", stored).unwrap();
        archive.write_all(&vec![b'x'; size]).unwrap();
        let mut content = archive.finish().unwrap().into_inner();
        let middle = content.len() / 2;
        content[middle] = b'y';
        content
    };
    artifact.is(&broken(1000)).await;
    let small = artifact.get("&entry=a.txt").await;
    assert!(small.status == 400 && small.message().contains("checksum"), "{:?}", small.body);
    artifact.is(&broken(5_000_000)).await;
    let path = format!("/_/api/artifact?{}&entry=a.txt", artifact.query);
    let large = artifact.browser.send(http::Method::GET, &path, &[], "").await;
    assert_eq!(large.status(), 200);
    assert!(large.into_body().collect().await.is_err(), "the connection ends before the file does");
}

#[tokio::test]
async fn large_entry_arrives_whole() {
    let content: Vec<u8> = (0..20_000_000_u32).map(|number| (number % 251) as u8).collect();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("large.bin", SimpleFileOptions::default()).unwrap();
    archive.write_all(&content).unwrap();
    let artifact = Artifact::new().await;
    artifact.is(&archive.finish().unwrap().into_inner()).await;
    let got = artifact.get("&entry=large.bin").await;
    assert!(got.body == content);
    // A client that leaves ends the read.
    let path = format!("/_/api/artifact?{}&entry=large.bin", artifact.query);
    let mut left = artifact.browser.send(http::Method::GET, &path, &[], "").await;
    left.body_mut().frame().await.unwrap().unwrap();
    drop(left);
    artifact.scenario.emulator.stop().await;
}

#[tokio::test]
async fn missing_artifacts_are_named() {
    let artifact = Artifact::new().await;
    let id = artifact.query.split(['=', '&']).nth(1).unwrap().to_owned();
    for (query, status, named) in [
        ("action=none&side=output&name=Source".to_owned(), 404, "none"),
        (format!("action={id}&side=input&name=Source"), 404, "no input artifact"),
        (format!("action={id}&side=output&name=Other"), 404, "Other"),
        (format!("action={id}&side=both&name=Source"), 400, "input or output"),
        (format!("action={id}&name=Source"), 400, "side"),
        (format!("side=output&name=Source&action={id}&entry=none"), 404, "no such file"),
    ] {
        let reply = artifact.browser.get(&format!("/_/api/artifact?{query}")).await;
        assert!(reply.status == status && reply.message().contains(named), "{query}: {:?}", reply.body);
    }
    let delete = artifact.scenario.objects.delete_object().bucket("artifact-store").key(&artifact.key);
    delete.send().await.unwrap();
    for more in ["", "&whole=1", "&entry=a.txt"] {
        let reply = artifact.get(more).await;
        assert!(reply.status == 404 && reply.message().contains("NoSuchKey"), "{more}: {:?}", reply.body);
    }
}
