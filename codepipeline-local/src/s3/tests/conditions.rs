//! Racing and conditional writes.

use super::*;

#[tokio::test]
async fn one_of_racing_creates_wins() {
    let server = Server::start().await;
    let client = server.anyone();
    let outcomes = race(100, |number| {
        let put = client.put_object().bucket("bucket").key("entry").if_none_match("*");
        put.body(body(&format!("writer {number}"))).send()
    })
    .await;
    let winners: Vec<_> = (0..100).filter(|number| outcomes[*number].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(code(refused), "PreconditionFailed");
    }
    let got = client.get_object().bucket("bucket").key("entry").send().await.unwrap();
    let text = String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap();
    assert_eq!(text, format!("writer {}", winners[0]));
}

#[tokio::test]
async fn one_of_racing_puts_on_an_object_wins() {
    let server = Server::start().await;
    assert_eq!(refusals(&server, None).await, ["PreconditionFailed"; 99]);
}

#[tokio::test]
async fn one_of_racing_puts_and_deletes_wins() {
    let server = Server::start().await;
    let refusals = refusals(&server, Some(2)).await;
    assert_eq!(refusals.len(), 99);
    // After a winning delete, nothing can match.
    let refused = |code: &String| ["PreconditionFailed", "NoSuchKey"].contains(&code.as_str());
    assert!(refusals.iter().all(refused), "{refusals:?}");
}

/// The errors of a hundred racing writers with the same `If-Match`. Each `nth` writer deletes, the others put.
async fn refusals(server: &Server, nth: Option<usize>) -> Vec<String> {
    let client = server.anyone();
    let first = client.put_object().bucket("bucket").key("entry").body(body("first")).send().await.unwrap();
    let e_tag = first.e_tag().unwrap().to_owned();
    let outcomes = race(100, |number| {
        let (client, e_tag) = (client.clone(), e_tag.clone());
        async move {
            if nth.is_some_and(|nth| number % nth == 0) {
                let delete = client.delete_object().bucket("bucket").key("entry").if_match(e_tag).send().await;
                return delete.is_err().then(|| code(delete));
            }
            let put = client.put_object().bucket("bucket").key("entry").if_match(e_tag);
            let put = put.body(body(&format!("writer {number}"))).send().await;
            put.is_err().then(|| code(put))
        }
    });
    outcomes.await.into_iter().flatten().collect()
}

#[tokio::test]
async fn copy_checks_conditions_on_its_destination() {
    let server = Server::start().await;
    let client = server.anyone();
    client.put_object().bucket("bucket").key("from").body(body("new")).send().await.unwrap();
    let put = client.put_object().bucket("bucket").key("to").body(body("old")).send().await.unwrap();
    let copy = |key: &str| client.copy_object().bucket("bucket").copy_source("bucket/from").key(key);
    assert_eq!(code(copy("to").if_none_match("*").send().await), "PreconditionFailed");
    assert_eq!(code(copy("to").if_match("\"other\"").send().await), "PreconditionFailed");
    assert_eq!(code(copy("none").if_match("\"other\"").send().await), "NoSuchKey");
    let got = client.get_object().bucket("bucket").key("to").send().await.unwrap();
    assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"old");
    copy("to").if_match(put.e_tag().unwrap()).send().await.unwrap();
    copy("none").if_none_match("*").send().await.unwrap();
    let got = client.get_object().bucket("bucket").key("to").send().await.unwrap();
    assert_eq!(&got.body.collect().await.unwrap().to_vec(), b"new");
}

#[tokio::test]
async fn condition_on_a_missing_object_fails() {
    let server = Server::start().await;
    let client = server.anyone();
    let put = client.put_object().bucket("bucket").key("none").if_match("\"tag\"").body(body("x")).send().await;
    assert_eq!(code(put), "NoSuchKey");
    let delete = client.delete_object().bucket("bucket").key("none").if_match("\"tag\"").send().await;
    assert_eq!(code(delete), "NoSuchKey");
    client.delete_object().bucket("bucket").key("none").send().await.unwrap();
    let put = client.put_object().bucket("nobucket").key("none").body(body("x")).send().await;
    assert_eq!(code(put), "NoSuchBucket");
}

#[tokio::test]
async fn reads_and_copies_have_conditions_on_the_time() {
    use aws_sdk_s3::primitives::DateTime;
    let server = Server::start().await;
    let client = server.anyone();
    let put = client.put_object().bucket("bucket").key("key").body(body("x")).send().await.unwrap();
    let e_tag = put.e_tag().unwrap();
    let (before, then) = (DateTime::from_secs(1_799_999_999), DateTime::from_secs(1_800_000_000));
    let get = || client.get_object().bucket("bucket").key("key");
    assert_eq!(code(get().if_modified_since(then).send().await), "Some(304)");
    get().if_modified_since(before).send().await.unwrap();
    assert_eq!(code(get().if_unmodified_since(before).send().await), "PreconditionFailed");
    get().if_unmodified_since(then).send().await.unwrap();
    // The condition on the entity tag overrides the other.
    get().if_match(e_tag).if_unmodified_since(before).send().await.unwrap();
    get().if_none_match("\"other\"").if_modified_since(then).send().await.unwrap();
    let head = client.head_object().bucket("bucket").key("key");
    assert_eq!(code(head.if_unmodified_since(before).send().await), "Some(412)");

    let copy = || client.copy_object().bucket("bucket").key("copy").copy_source("bucket/key");
    assert_eq!(code(copy().copy_source_if_modified_since(then).send().await), "PreconditionFailed");
    assert_eq!(code(copy().copy_source_if_unmodified_since(before).send().await), "PreconditionFailed");
    copy().copy_source_if_match(e_tag).copy_source_if_unmodified_since(before).send().await.unwrap();
}
