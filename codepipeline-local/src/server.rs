//! The emulator: CodePipeline and S3 on one port.

mod parts;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Weak};

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::parts::{logging, reachable, restore, unusable};
use crate::action_logs::ActionLogs;
use crate::client_environment::client_environment;
use crate::engine::Engine;
use crate::faults::{DelayedCalls, Faults};
use crate::invocation::JobInvocation;
use crate::kept_engine::KeptEngine;
use crate::listener::{Bound, Listener};
use crate::options::Options;
use crate::page::Page;
use crate::request_log::RequestLog;
use crate::s3::{Folder, Store, StoreSettings};
use crate::shell::{Admission, AwaitedJobs, EnginePermissions, ProgramLogs, Runs, Shared};
use crate::store::NotKept;
use crate::subscribers::Subscribers;

/// An emulator of CodePipeline and S3 on one port. Dropping it stops it.
pub struct Emulator {
    listener: Listener,
    environment: BTreeMap<String, String>,
    driver: JoinHandle<Result<(), NotKept>>,
    /// `None` once the driver runs. Dropping it starts the driver.
    waiting: Option<oneshot::Sender<()>>,
    shared: Weak<Shared>,
    log: RequestLog,
    faults: Faults,
    events: Subscribers<Value>,
    invocations: Subscribers<JobInvocation>,
}

impl Emulator {
    /// Starts an emulator. Returns an error if the port is taken, the data folder can't be used, or the connections
    /// contradict each other.
    pub async fn start(options: Options) -> io::Result<Self> {
        let mut emulator = Self::start_waiting(options).await?;
        emulator.begin();
        Ok(emulator)
    }

    /// Starts an emulator that sends no event before [`Emulator::begin`], so that a subscriber also gets the events
    /// of a restart. Requests with effects wait for it too.
    pub(crate) async fn start_waiting(options: Options) -> io::Result<Self> {
        let Options {
            host,
            port,
            data,
            engine: mut settings,
            mut providers,
            connections,
            s3,
            accept_unencrypted_uploads,
            endpoints,
            faults,
            page,
            keys,
            local_hosts_only,
            seed,
            clock,
        } = options;
        let keys = keys.map(Arc::new);
        settings.provided = providers.provided().clone();
        let (account_id, region) = (settings.account_id.clone(), settings.region.clone());
        let store_settings = StoreSettings { account_id, region: region.clone(), pace: s3, accept_unencrypted_uploads };
        let keeps = data.is_some();
        let folder = match data {
            Some(folder) => Folder::Given(folder),
            None => Folder::Temporary(TempDir::with_prefix("codepipeline-local-")?),
        };
        let path = folder.path().to_owned();
        let engine = Engine::new(settings, seed);
        let engine = match &keys {
            Some(keys) => engine.with_secret(keys.for_ids()),
            None => engine,
        };
        let engine = KeptEngine::new(engine);
        let log = RequestLog::default();
        let permissions = Arc::new(EnginePermissions { engine: engine.clone(), keys: keys.clone() });
        let store = Store::open(folder, clock.clone(), permissions, log.clone(), store_settings);
        let store = store.map_err(|error| unusable(&path, &error))?;
        // The store holds the lock of the folder by now.
        if keeps {
            restore(&engine, &path, clock.now())?;
        }
        let (connected, pending) = engine.act(|engine| connections.map_or(Ok(()), |given| engine.connect(given)));
        connected.map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        pending.kept().await.map_err(io::Error::other)?;
        let (events, invocations) = (Subscribers::default(), Subscribers::default());
        let (changed, changes) = mpsc::unbounded_channel();
        let action_logs = ActionLogs::default();
        providers.observe(logging(action_logs.clone(), clock.clone(), engine.clone()));
        let secrets = providers.secrets_of_the_user();
        let data = keeps.then_some(path.as_path());
        let logs = (action_logs.clone(), secrets.clone());
        let page = Page::new(engine.clone(), store.clone(), logs, (page, clock.now()), data).map(Arc::new)?;
        // Commands get the address in their environment.
        let bound = Bound::to((host, port).into()).await?;
        let environment =
            client_environment(&format!("http://{}", reachable(bound.address())), &region, keys.as_deref());
        let (runs, finished) = Runs::new(providers, store.clone(), environment.clone());
        let shared = Arc::new(Shared {
            engine,
            admission: Admission { keys: keys.clone(), local_hosts_only },
            clock,
            store,
            log: log.clone(),
            endpoints,
            faults: faults.clone(),
            delayed_calls: DelayedCalls::default(),
            changed,
            events: events.clone(),
            invocations: invocations.clone(),
            action_logs,
            secrets,
            runs,
            page,
        });

        let answering = Arc::clone(&shared);
        let listener = bound.serve(move |request| Arc::clone(&answering).answer(request));
        let driving = Arc::clone(&shared);
        let (waiting, begun) = oneshot::channel();
        let driver = tokio::spawn(async move {
            // Nothing is sent; dropping the sender ends the wait.
            let _ = begun.await;
            driving.drive(changes, finished).await
        });
        let shared = Arc::downgrade(&shared);
        Ok(Self { listener, environment, driver, waiting: Some(waiting), shared, log, faults, events, invocations })
    }

    /// Starts the driver.
    pub(crate) fn begin(&mut self) {
        self.waiting = None;
    }

    /// The value for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", reachable(self.listener.address()))
    }

    /// The address of the page for a browser, with the page's token. `None` once the emulator has ended.
    pub fn page_address(&self) -> Option<String> {
        self.shared.upgrade().map(|shared| shared.page.address(&self.endpoint()))
    }

    /// The variables by which the AWS SDKs of another process find this emulator and sign their requests. Its keys are among them.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Subscribes to the events of pipelines, stages and actions, as EventBridge delivers them. The stream ends with
    /// the emulator.
    pub fn events(&self) -> mpsc::UnboundedReceiver<Value> {
        self.events.subscribe()
    }

    /// Subscribes to the jobs of Lambda Invoke actions. The subscriber invokes the functions. The stream ends with
    /// the emulator.
    pub fn job_invocations(&self) -> mpsc::UnboundedReceiver<JobInvocation> {
        self.invocations.subscribe()
    }

    /// Calls CodePipeline in this process. Returns the service's message if it refuses the input.
    pub(crate) async fn call(&self, operation: &str, input: &Value) -> Result<Value, String> {
        let shared = self.shared.upgrade().ok_or("the emulator has ended")?;
        let target = format!("CodePipeline_20150709.{operation}");
        let reply = shared.call_codepipeline(&target, &input.to_string().into_bytes()).await;
        let reply = reply.map_err(|error| error.to_string())?;
        let body =
            if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap_or_default() };
        match reply.status {
            200 => Ok(body),
            _ => Err(body["message"].as_str().unwrap_or("the emulator refused the call").to_owned()),
        }
    }

    /// The S3 of this emulator. `None` once it has ended.
    pub(crate) fn store(&self) -> Option<Store> {
        self.shared.upgrade().map(|shared| shared.store.clone())
    }

    /// Takes the output of workers and functions, for the logs of the actions that they work on.
    pub(crate) fn program_logs(&self) -> ProgramLogs {
        ProgramLogs::new(Weak::clone(&self.shared))
    }

    /// Finds the jobs that wait for the result of a function.
    pub(crate) fn awaited_jobs(&self) -> AwaitedJobs {
        AwaitedJobs::new(Weak::clone(&self.shared))
    }

    /// The number of calls of an operation, such as `PollForJobs` or `PutObject`, whether they succeeded or not.
    pub fn calls(&self, operation: &str) -> usize {
        self.log.count(operation)
    }

    /// The called operations in order, at most the last hundred thousand.
    pub fn operations(&self) -> Vec<String> {
        self.log.in_order()
    }

    /// The faults, which can be changed while the emulator runs.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Ends the actions that providers run, and starts nothing from now on: no action, no invocation, and no job of a worker. The port
    /// stays open, so that workers can report what they finish.
    pub(crate) fn halt(&self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.engine.halt();
            shared.runs.abort();
        }
    }

    /// Closes the port and all connections, ends the actions that providers run, and removes temporary files.
    pub async fn stop(mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.page.close();
        }
        self.listener.stop().await;
        let shared = self.shared.upgrade();
        if let Some(shared) = &shared {
            shared.delayed_calls.stop().await;
        }
        self.driver.abort();
        let _ = (&mut self.driver).await;
        if let Some(shared) = shared {
            shared.runs.stop().await;
        }
        // From here on nothing uses the folder, and a temporary folder is removed.
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.delayed_calls.abort();
            shared.runs.abort();
        }
        self.driver.abort();
    }
}

#[cfg(test)]
mod tests;
