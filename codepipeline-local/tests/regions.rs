//! Regions of buckets, as clients of several regions see them.
#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use codepipeline_local::engine::Settings;
use codepipeline_local::{Emulator, Options};

fn client(emulator: &Emulator, region: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(emulator.endpoint())
        .force_path_style(true)
        .credentials_provider(Credentials::new("x", "y", None, None, "test"));
    Client::from_conf(config.build())
}

fn refusal<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> (String, String) {
    let error = result.err().expect("the request is refused");
    let error = error.as_service_error().expect("S3 refused it");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

async fn create(client: &Client, bucket: &str, constraint: Option<&str>) -> Result<(), (String, String)> {
    let constraint = constraint.map(|region| {
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
    });
    let created = client.create_bucket().bucket(bucket).set_create_bucket_configuration(constraint).send().await;
    created.map(drop).map_err(|error| refusal::<(), _>(Err(error)))
}

#[tokio::test]
async fn bucket_is_in_the_region_of_its_constraint() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let (us, eu) = (client(&emulator, "us-east-1"), client(&emulator, "eu-west-1"));
    create(&us, "classic", None).await.unwrap();
    create(&eu, "ireland", Some("eu-west-1")).await.unwrap();
    create(&us, "frankfurt", Some("eu-central-1")).await.unwrap();
    create(&us, "old-name", Some("EU")).await.unwrap();
    for (bucket, region) in
        [("classic", "us-east-1"), ("ireland", "eu-west-1"), ("frankfurt", "eu-central-1"), ("old-name", "eu-west-1")]
    {
        let location = eu.get_bucket_location().bucket(bucket).send().await.unwrap();
        let wanted = Some(region).filter(|region| *region != "us-east-1");
        let named = location.location_constraint().map(BucketLocationConstraint::as_str);
        assert_eq!(named.filter(|name| !name.is_empty()), wanted);
        let head = client(&emulator, region).head_bucket().bucket(bucket).send().await.unwrap();
        assert_eq!(head.bucket_region(), Some(region));
    }
    assert_eq!(eu.list_buckets().send().await.unwrap().buckets().len(), 4);
    let of_region = us.list_buckets().bucket_region("eu-west-1").send().await.unwrap();
    assert_eq!(of_region.buckets().len(), 2);

    let get = |client: &Client, bucket: &str| client.get_object().bucket(bucket).key("k").send();
    assert_eq!(refusal(get(&eu, "ireland").await).0, "NoSuchKey");
    let (code, message) = refusal(get(&eu, "classic").await);
    assert_eq!(code, "AuthorizationHeaderMalformed");
    assert_eq!(
        message,
        "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'"
    );
    assert!(refusal(get(&us, "ireland").await).1.ends_with("expecting 'eu-west-1'"));
    assert_eq!(refusal(get(&eu, "nowhere").await).0, "NoSuchBucket");
    let head = eu.head_bucket().bucket("classic").send().await.unwrap_err();
    let head = head.raw_response().unwrap();
    assert_eq!((head.status().as_u16(), head.headers().get("x-amz-bucket-region")), (400, Some("us-east-1")));
}

#[tokio::test]
async fn only_us_east_1_lets_a_bucket_be_recreated() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let (us, eu) = (client(&emulator, "us-east-1"), client(&emulator, "eu-west-1"));
    create(&us, "classic", None).await.unwrap();
    create(&us, "classic", None).await.unwrap();
    create(&eu, "ireland", Some("eu-west-1")).await.unwrap();
    let again = create(&eu, "ireland", Some("eu-west-1")).await.unwrap_err();
    assert_eq!(again.0, "BucketAlreadyOwnedByYou");
    assert_eq!(create(&eu, "classic", Some("eu-west-1")).await.unwrap_err().0, "BucketAlreadyOwnedByYou");
    assert_eq!(create(&us, "mars", Some("mars")).await.unwrap_err().0, "InvalidLocationConstraint");
    let elsewhere = create(&eu, "mars", Some("us-west-2")).await.unwrap_err();
    assert_eq!(elsewhere.0, "IllegalLocationConstraintException");
}

#[tokio::test]
async fn without_constraint_the_clients_region_counts() {
    let engine = Settings { region: "eu-west-1".into(), ..Settings::default() };
    let emulator = Emulator::start(Options { engine, ..Options::default() }).await.unwrap();
    for region in ["eu-west-1", "us-east-1", "ap-south-1"] {
        let client = client(&emulator, region);
        create(&client, &format!("made-in-{region}"), None).await.unwrap();
        let head = client.head_bucket().bucket(format!("made-in-{region}")).send().await.unwrap();
        assert_eq!(head.bucket_region(), Some(region));
    }
}
