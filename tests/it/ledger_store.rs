//! The ledger's requests against the emulator's S3, over sockets: which write wins, what stays, and what an operator
//! reads.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_codepipeline::types::ActionTypeId;
use codepipeline_local::Options;
use codepipeline_local::clock::ManualClock;
use codepipeline_local::types::Timestamp;
use codepipeline_worker::job::Origin;
use codepipeline_worker::ledger::{
    Content, Entry, Found, InvocationId, Key, Ledger, LedgerError, Listed, Phase, Unreadable, Version, WriteId,
    WriteResult,
};
use futures_util::future::join_all;

use crate::support::{SOURCE_BUCKET, World, action_type, custom, sdk_config, zip};

const BUCKET: &str = "the-ledger";

/// An emulator whose clock stands still, with the ledger's bucket.
struct Scenario {
    world: World,
    time: ManualClock,
    ledger: Ledger,
}

impl Scenario {
    async fn start() -> Self {
        let time = ManualClock::new(Timestamp(1_800_000_000_000));
        let world = World::with(Options { clock: time.clock(), ..Options::default() }).await;
        world.s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let ledger = Ledger::new(&world.sdk_config, BUCKET.into());
        Self { world, time, ledger }
    }

    /// A ledger with the credentials of a polled job. They are for its artifacts, and S3 denies them the ledger.
    async fn denied(&self) -> Ledger {
        let world = &self.world;
        world.create_type("Test", "LinkCheck", &[]).await;
        world.s3.create_bucket().bucket(SOURCE_BUCKET).send().await.unwrap();
        world.put_source(zip(&[("a", "b")])).await;
        world.create_pipeline("pipeline", vec![("Check", vec![custom("Check", "Test", "LinkCheck")])]).await;
        world.start("pipeline").await;
        world.until_begun("pipeline", "Check").await;
        let id = ActionTypeId::builder().category("Test".into()).owner("Custom".into()).provider("LinkCheck");
        let poll = world.codepipeline.poll_for_jobs().action_type_id(id.version("1").build().unwrap());
        let polled = poll.send().await.unwrap();
        let given = polled.jobs()[0].data().unwrap().artifact_credentials().unwrap().clone();
        let token = Some(given.session_token().to_owned());
        let credentials = Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "a job");
        let sdk_config =
            world.sdk_config.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials));
        Ledger::new(&sdk_config.build(), BUCKET.into())
    }

    async fn put(&self, key: &str, body: &'static str) {
        self.world.s3.put_object().bucket(BUCKET).key(key).body(body.as_bytes().to_vec().into()).send().await.unwrap();
    }

    /// Creates an entry for the job.
    async fn create(&self, key: &Key) -> Version {
        yes(self.ledger.write(key, None, &entry(Phase::Claiming), &WriteId::random()).await)
    }

    async fn found(&self, key: &Key) -> Option<Found> {
        self.ledger.read(key).await.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn listed(&self) -> Vec<Listed> {
        self.ledger.list().await.unwrap_or_else(|error| panic!("{error}"))
    }
}

fn entry(phase: Phase) -> Entry {
    Entry {
        job: "job".into(),
        phase,
        owner: InvocationId::random(),
        lease: Duration::from_secs(30),
        adoptions: 2,
        origin: Origin::PolledForClient { client_id: "client".into() },
        action_type: action_type("Test", "Custom", "LinkCheck"),
        marked: false,
        inferred: false,
        pipeline: Some("pipeline".into()),
        pipeline_execution_id: Some("pipeline execution".into()),
        stage: Some("stage".into()),
        action: Some("action".into()),
        action_execution_id: Some("action execution".into()),
    }
}

fn yes(written: WriteResult) -> Version {
    match written {
        WriteResult::Written(version) => version,
        other => panic!("{other:?}"),
    }
}

fn failed(written: WriteResult) -> LedgerError {
    match written {
        WriteResult::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn entry_reads_as_it_was_written() {
    let s3 = Scenario::start().await;
    let key = Key::polled("a job/ü..");
    assert!(s3.found(&key).await.is_none());
    let written = entry(Phase::Reporting { outcome: "{\"any\": \"thing\"}".into() });
    let write = WriteId::random();
    let version = yes(s3.ledger.write(&key, None, &written, &write).await);
    let found = s3.found(&key).await.unwrap();
    assert_eq!(found.version, version);
    let Content::Entry(entry, by) = found.content else { panic!("no entry") };
    assert!(*entry == written && by == write);
    assert!(s3.found(&Key::invoked("a job/ü..")).await.is_none());
}

#[tokio::test]
async fn one_of_several_creations_wins() {
    let s3 = Scenario::start().await;
    let key = Key::polled("job");
    let race: Vec<_> = (0..20).map(|_| (entry(Phase::Claiming), WriteId::random())).collect();
    let outcomes = join_all(race.iter().map(|(entry, write)| s3.ledger.write(&key, None, entry, write))).await;
    let winners: Vec<_> = (0..20).filter(|index| matches!(outcomes[*index], WriteResult::Written(_))).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == WriteResult::Refused).count(), 19);
    let Content::Entry(_, write) = s3.found(&key).await.unwrap().content else { panic!("no entry") };
    assert_eq!(write, race[winners[0]].1);
}

#[tokio::test]
async fn old_version_is_not_replaced_or_deleted() {
    let s3 = Scenario::start().await;
    let key = Key::polled("job");
    let stale = s3.create(&key).await;
    let held = entry(Phase::Held);
    let current = yes(s3.ledger.write(&key, Some(&stale), &held, &WriteId::random()).await);
    assert_ne!(stale, current);
    assert_eq!(s3.ledger.write(&key, Some(&stale), &held, &WriteId::random()).await, WriteResult::Refused);
    assert_eq!(s3.ledger.mark_done(&key, &stale).await, WriteResult::Refused);
    assert_eq!(s3.ledger.delete(&key, &stale).await, WriteResult::Refused);
    assert_eq!(s3.found(&key).await.unwrap().version, current);
    assert_eq!(s3.ledger.delete(&key, &current).await, WriteResult::Written(current.clone()));
    assert!(s3.found(&key).await.is_none());
    // No object can match the condition any more.
    assert_eq!(s3.ledger.write(&key, Some(&current), &held, &WriteId::random()).await, WriteResult::Refused);
    assert_eq!(s3.ledger.delete(&key, &current).await, WriteResult::Refused);
}

#[tokio::test]
async fn same_entry_written_again_is_another_version() {
    let s3 = Scenario::start().await;
    let (key, same) = (Key::polled("job"), entry(Phase::Held));
    let first = yes(s3.ledger.write(&key, None, &same, &WriteId::random()).await);
    let second = yes(s3.ledger.write(&key, Some(&first), &same, &WriteId::random()).await);
    assert_ne!(first, second);
}

#[tokio::test]
async fn lease_counts_from_its_write_on_s3s_clock() {
    let s3 = Scenario::start().await;
    let key = Key::polled("job");
    let version = s3.create(&key).await;
    // S3 rounds both times to seconds, so the age may be a second off.
    s3.time.advance(Duration::from_secs(30));
    let found = s3.found(&key).await.unwrap();
    assert_eq!(found.age, Duration::from_secs(29));
    assert!(!found.lease_is_over());
    s3.time.advance(Duration::from_secs(1));
    assert!(s3.found(&key).await.unwrap().lease_is_over());
    assert_eq!(s3.listed().await[0].age, Duration::from_secs(30));

    yes(s3.ledger.write(&key, Some(&version), &entry(Phase::Held), &WriteId::random()).await);
    assert!(!s3.found(&key).await.unwrap().lease_is_over());
}

#[tokio::test]
async fn mark_of_a_finished_job_is_swept_after_its_time() {
    let s3 = Scenario::start().await;
    for key in [Key::polled("job"), Key::invoked("job")] {
        let version = s3.create(&key).await;
        yes(s3.ledger.mark_done(&key, &version).await);
        let found = s3.found(&key).await.unwrap();
        assert!(matches!(found.content, Content::Done) && !found.lease_is_over());
    }
    let going = async || {
        s3.listed().await.into_iter().filter(Listed::can_be_swept).map(|listed| listed.key).collect::<Vec<_>>()
    };
    s3.time.advance(Duration::from_secs(60 * 60));
    assert_eq!(going().await, []);
    s3.time.advance(Duration::from_secs(1));
    assert_eq!(going().await, [Key::polled("job")]);
    s3.time.advance(Duration::from_secs(6 * 60 * 60));
    assert_eq!(going().await, [Key::invoked("job"), Key::polled("job")]);
}

#[tokio::test]
async fn unreadable_object_is_found_as_such() {
    let s3 = Scenario::start().await;
    s3.put("jobs/", "").await;
    s3.put("jobs/invoked/", "").await;
    s3.put("jobs/newer", "{\"format\": 2}").await;
    s3.put("jobs/other", "something else").await;
    let keys: Vec<_> = s3.listed().await.into_iter().map(|listed| listed.key).collect();
    assert_eq!(keys, [Key::polled("newer"), Key::polled("other")]);
    for (key, expected) in keys.iter().zip([Unreadable::Format(2), Unreadable::Garbled]) {
        let found = s3.found(key).await.unwrap();
        assert!(!found.lease_is_over());
        let Content::Unreadable(why) = found.content else { panic!("read") };
        assert_eq!(why, expected);
    }
}

#[tokio::test]
async fn sweep_deletes_all_pages_but_changed_marks() {
    let s3 = Scenario::start().await;
    let number = 1001;
    let keys: Vec<_> = (0..number).map(|job| Key::polled(&format!("{job:04}"))).collect();
    for some in keys.chunks(50) {
        join_all(some.iter().map(|key| s3.put(key.as_str(), ""))).await;
    }
    s3.put("elsewhere", "").await;
    let running = Key::polled("running");
    s3.create(&running).await;
    let listed = s3.listed().await;
    assert_eq!(listed.len(), number + 1);
    assert!(listed.iter().all(|listed| listed.is_done() == (listed.key != running)));

    // After the listing, a job was taken again, a mark was deleted, and one object is a running job.
    let taken = &listed[500];
    yes(s3.ledger.write(&taken.key, Some(&taken.version), &entry(Phase::Held), &WriteId::random()).await);
    yes(s3.ledger.delete(&listed[7].key, &listed[7].version).await);
    assert_eq!(s3.ledger.sweep(&listed).await, Ok(number - 2));
    let left: Vec<_> = s3.listed().await.into_iter().map(|listed| listed.key).collect();
    assert_eq!(left, [taken.key.clone(), running]);
    assert!(s3.world.s3.head_object().bucket(BUCKET).key("elsewhere").send().await.is_ok());
}

#[tokio::test]
async fn error_names_a_missing_bucket_and_its_variable() {
    let s3 = Scenario::start().await;
    let ledger = Ledger::new(&s3.world.sdk_config, "nowhere".into());
    let key = Key::polled("job");
    let expected =
        "the ledger's bucket `nowhere` does not exist (NoSuchBucket, HTTP 404): create it, or correct LEDGER_BUCKET";
    assert_eq!(ledger.read(&key).await.err().unwrap().to_string(), expected);
    assert_eq!(ledger.list().await.unwrap_err().to_string(), expected);
    let write = ledger.write(&key, None, &entry(Phase::Claiming), &WriteId::random()).await;
    assert_eq!(failed(write).to_string(), expected);
}

#[tokio::test]
async fn error_names_a_missing_permission() {
    let s3 = Scenario::start().await;
    let key = Key::polled("job");
    let version = s3.create(&key).await;
    yes(s3.ledger.mark_done(&key, &version).await);
    let listed = s3.listed().await;
    let denied = s3.denied().await;
    let said = |error: LedgerError| {
        assert!(!error.may_pass());
        error.to_string()
    };
    let write = failed(denied.write(&key, Some(&version), &entry(Phase::Held), &WriteId::random()).await);
    for (said, permission) in [
        (
            said(denied.read(&key).await.err().unwrap()),
            "s3:GetObject, and s3:ListBucket for entries that are not there",
        ),
        (said(denied.list().await.unwrap_err()), "s3:ListBucket"),
        (said(write), "s3:PutObject and s3:GetObject"),
        (said(failed(denied.delete(&key, &version).await)), "s3:DeleteObject and s3:GetObject"),
        (said(denied.sweep(&listed).await.unwrap_err()), "s3:DeleteObject and s3:GetObject"),
    ] {
        assert!(said.starts_with("the function's role may not "), "{said}");
        assert!(said.contains(&format!("`{BUCKET}` (AccessDenied, HTTP 403): grant it {permission}, and")), "{said}");
    }
}

#[tokio::test]
async fn silent_s3_leaves_a_write_unanswered() {
    // The system accepts connections, but no server reads from them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ledger = Ledger::new(&sdk_config(&format!("http://{}", silent.local_addr().unwrap())), BUCKET.into());
    tokio::time::pause();
    let key = Key::polled("job");
    let began = tokio::time::Instant::now();
    let written = ledger.write(&key, None, &entry(Phase::Claiming), &WriteId::random()).await;
    let WriteResult::Failed(error) = written else { panic!("{written:?}") };
    assert!(error.may_pass() && error.to_string().contains("could not write an entry"), "{error}");
    assert!(ledger.read(&key).await.err().unwrap().may_pass());
    assert!(began.elapsed() <= Duration::from_secs(7), "{:?}", began.elapsed());
}
