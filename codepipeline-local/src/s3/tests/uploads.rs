//! Multipart uploads.

use super::*;

#[tokio::test]
async fn multipart_upload_continues_with_renewed_credentials() {
    let server = Server::start().await;
    let old = server.job("ASIAOLD");
    let begun = old.create_multipart_upload().bucket("artifacts").key("out");
    let begun = begun.server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    let id = begun.upload_id().unwrap().to_owned();
    let parts = [vec![b'a'; 5 << 20], b"end".to_vec()];
    let mut completed = CompletedMultipartUpload::builder();
    let mut jobs = [old, server.job("ASIANEW")].into_iter();
    let new = server.job("ASIANEW");
    for (number, bytes) in (1..).zip(parts) {
        let part = jobs.next().unwrap().upload_part().bucket("artifacts").key("out").upload_id(&id).part_number(number);
        let e_tag = part.body(ByteStream::from(bytes)).send().await.unwrap().e_tag().unwrap().to_owned();
        completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    let complete = |upload| {
        let request = new.complete_multipart_upload().bucket("artifacts").key("out").upload_id(&id);
        request.multipart_upload(upload).if_none_match("*").send()
    };
    let wrong = CompletedMultipartUpload::builder().parts(CompletedPart::builder().part_number(1).e_tag("no").build());
    assert_eq!(code(complete(wrong.build()).await), "InvalidPart");
    let done = complete(completed.build()).await.unwrap();
    assert_eq!(done.e_tag().map(|e_tag| e_tag.ends_with("-2\"")), Some(true));
    let head = server.anyone().head_object().bucket("artifacts").key("out").send().await.unwrap();
    assert_eq!(head.content_length(), Some((5 << 20) + 3));
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
}

#[tokio::test]
async fn concurrent_parts_keep_their_bytes() {
    let server = Server::start().await;
    let client = server.anyone();
    let begun = client.create_multipart_upload().bucket("bucket").key("big").send().await.unwrap();
    let id = begun.upload_id().unwrap().to_owned();
    let content = |number: usize| vec![b'a' + number as u8; (5 << 20) + number];
    let e_tags = race(8, |number| {
        let part = client.upload_part().bucket("bucket").key("big").upload_id(&id).part_number(number as i32 + 1);
        part.body(ByteStream::from(content(number))).send()
    })
    .await;
    let mut completed = CompletedMultipartUpload::builder();
    for (number, part) in (1..).zip(e_tags) {
        let e_tag = part.unwrap().e_tag().unwrap().to_owned();
        completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    let complete = client.complete_multipart_upload().bucket("bucket").key("big").upload_id(&id);
    complete.multipart_upload(completed.build()).send().await.unwrap();
    let got = client.get_object().bucket("bucket").key("big").send().await.unwrap().body.collect().await.unwrap();
    assert!(got.to_vec() == (0..8).flat_map(content).collect::<Vec<_>>());
}

/// Begins an upload, sends the parts with these numbers, and returns its id and the completion.
async fn parts(client: &Client, key: &str, parts: &[(i32, Vec<u8>)]) -> (String, CompletedMultipartUpload) {
    let begun = client.create_multipart_upload().bucket("bucket").key(key).send().await.unwrap();
    let id = begun.upload_id().unwrap().to_owned();
    let mut completed = CompletedMultipartUpload::builder();
    for (number, bytes) in parts {
        let part = client.upload_part().bucket("bucket").key(key).upload_id(&id).part_number(*number);
        let e_tag = part.body(ByteStream::from(bytes.clone())).send().await.unwrap().e_tag().unwrap().to_owned();
        completed = completed.parts(CompletedPart::builder().part_number(*number).e_tag(e_tag).build());
    }
    (id, completed.build())
}

#[tokio::test]
async fn part_numbers_may_have_gaps() {
    let server = Server::start().await;
    let client = server.anyone();
    let sent = [(2, vec![b'a'; 5 << 20]), (3, b"unwanted".to_vec()), (7, vec![b'b'; 5 << 20]), (9, b"end".to_vec())];
    let (id, all) = parts(&client, "gaps", &sent).await;
    let wanted = all.parts().iter().filter(|part| part.part_number() != Some(3)).cloned().collect();
    let wanted = CompletedMultipartUpload::builder().set_parts(Some(wanted)).build();
    let complete = client.complete_multipart_upload().bucket("bucket").key("gaps").upload_id(&id);
    complete.multipart_upload(wanted).send().await.unwrap();
    let got = client.get_object().bucket("bucket").key("gaps").send().await.unwrap().body.collect().await.unwrap();
    assert!(got.to_vec() == [sent[0].1.clone(), sent[2].1.clone(), sent[3].1.clone()].concat());
}

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let server = Server::start().await;
    let client = server.anyone();
    let (id, _) = parts(&client, "paged", &[1, 4, 10].map(|number| (number, b"x".to_vec()))).await;
    let mut pages = Vec::new();
    let mut marker = None;
    loop {
        let list = client.list_parts().bucket("bucket").key("paged").upload_id(&id).max_parts(2);
        let page = list.set_part_number_marker(marker).send().await.unwrap();
        pages.push(page.parts().iter().filter_map(aws_sdk_s3::types::Part::part_number).collect::<Vec<_>>());
        marker = page.next_part_number_marker().map(str::to_owned);
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(pages, [vec![1, 4], vec![10]]);
}

#[tokio::test]
async fn object_is_copied_in_parts() {
    let server = Server::start().await;
    let client = server.anyone();
    let content: Vec<u8> = (0..(5 << 20) + 1000).map(|index: u32| index.to_le_bytes()[1]).collect();
    client.put_object().bucket("bucket").key("big").body(content.clone().into()).send().await.unwrap();
    let tags = client.get_object_tagging().bucket("bucket").key("big").send().await.unwrap();
    assert!(tags.tag_set().is_empty());
    let begun = client.create_multipart_upload().bucket("bucket").key("copy").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let copy = |number: i32, range: &str| {
        let part = client.upload_part_copy().bucket("bucket").key("copy").upload_id(id).part_number(number);
        part.copy_source("bucket/big").copy_source_range(range).send()
    };
    let mut completed = CompletedMultipartUpload::builder();
    for (number, range) in [(1, "bytes=0-5242879"), (2, "bytes=5242880-5243879")] {
        let copied = copy(number, range).await.unwrap();
        let e_tag = copied.copy_part_result().unwrap().e_tag().unwrap().to_owned();
        completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    assert_eq!(code(copy(3, "bytes=5242880-5243880").await), "InvalidRange");
    assert_eq!(code(copy(3, "bytes=5-").await), "InvalidArgument");
    let complete = client.complete_multipart_upload().bucket("bucket").key("copy").upload_id(id);
    complete.multipart_upload(completed.build()).send().await.unwrap();
    let got = client.get_object().bucket("bucket").key("copy").send().await.unwrap().body.collect().await.unwrap();
    assert!(got.to_vec() == content);
}
