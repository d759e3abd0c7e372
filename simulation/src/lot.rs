//! The world that a seed draws: the service's undocumented behaviours, the faults, and the function's configuration.

use std::time::Duration;

use codepipeline_local::engine::{Leniency, NonceForm, Settings};

use crate::load::Load;
use crate::random::Random;

/// The kind of world to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The workers have a ledger, and everything may happen.
    Ledger,
    /// The workers have no ledger. No worker dies, no response to an acknowledgement is lost, and no event of a job is
    /// sent twice.
    Quiet,
    /// The workers have no ledger, and everything may happen. Jobs will hang, and the witness must notice it.
    None,
}

/// One world.
pub(crate) struct Lot {
    /// The undocumented behaviours of CodePipeline.
    pub(crate) settings: Settings,
    /// The workers' protection from worker deaths.
    pub(crate) protection: Protection,
    /// How often a request meets each fault while there are faults.
    pub(crate) faults: Rates,
    /// How many invocations of a thousand die, or are cut off, while there are faults.
    pub(crate) crashes: u64,
    /// How many invocations of a thousand start a new process although another is idle.
    pub(crate) fresh: u64,
    /// The function's timeout in seconds.
    pub(crate) function_timeout: u64,
    /// How many invocations may run at a time.
    pub(crate) concurrency: usize,
    /// How many jobs an invocation runs at a time.
    pub(crate) jobs_at_once: usize,
    /// By how many seconds a worker's wall clock may be wrong.
    pub(crate) clock_error: u64,
    /// For how many minutes there are faults, crashes and lost events.
    pub(crate) troubled: u64,
    /// For how many minutes after that the schedule wakes workers.
    pub(crate) calm: u64,
    /// How many executions of pipelines begin.
    pub(crate) executions: u64,
    /// How many executions of a thousand are abandoned.
    pub(crate) abandoned: u64,
    /// How many Lambda Invoke jobs of a thousand arrive twice.
    pub(crate) invoked_twice: u64,
    /// The load, if the world only measures one.
    pub(crate) load: Option<Load>,
}

/// How many requests of a thousand meet a fault of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    /// The service throttles the request.
    pub(crate) throttled: u64,
    /// The service returns 500 or 503, with or without effect.
    pub(crate) failed: u64,
    /// The connection breaks before the request arrives.
    pub(crate) reset: u64,
    /// The request takes effect, and the response is lost.
    pub(crate) lost: u64,
    /// No response comes, with or without effect.
    pub(crate) silent: u64,
    /// The request is under way for seconds, perhaps longer than its client waits.
    pub(crate) slow: u64,
    /// An object's bytes end too early.
    pub(crate) cut: u64,
    /// S3 returns 409 to a conditional write.
    pub(crate) conflict: u64,
}

impl Rates {
    fn draw(random: &mut Random) -> Self {
        // A quarter of the worlds has no faults on the wire, which shows the effects of crashes alone.
        let most = random.pick(&[0, 20, 60, 150]);
        let mut rate = |share: u64| random.range(0, most) * share / 100;
        Self {
            throttled: rate(100),
            failed: rate(70),
            reset: rate(70),
            lost: rate(100),
            silent: rate(40),
            slow: rate(70),
            cut: rate(100),
            conflict: rate(100),
        }
    }
}

fn either(random: &mut Random) -> Leniency {
    random.pick(&[Leniency::Refuse, Leniency::Accept])
}

impl Lot {
    /// Draws the world of this seed.
    pub(crate) fn draw(seed: u64, protection: Protection) -> Self {
        let mut random = Random::of(seed, "lot");
        let random = &mut random;
        // After 20 minutes, the service's default, a job may time out before another worker adopts it.
        let invoke_timeout = Random::of(seed, "invoke timeout").pick(&[1200, 86_400, 86_400, 86_400]);
        let settings = Settings {
            reoffer_after: Some(Duration::from_secs(random.pick(&[5, 30, 30, 30, 60]))),
            nonce_form: random.pick(&[NonceForm::Counter, NonceForm::Random]),
            keep_nonce_on_reoffer: random.chance(500),
            second_acknowledge: either(random),
            acknowledge_finished: either(random),
            put_before_acknowledge: either(random),
            late_result: either(random),
            details_before_acknowledge: either(&mut Random::of(seed, "details before acknowledge")),
            purge_after: Duration::from_secs(random.pick(&[60, 600, 3600])),
            continuation_delay: Duration::from_secs(random.pick(&[0, 5, 30])),
            credential_life: Duration::from_secs(random.pick(&[10, 60, 900])),
            invoke_timeout: Duration::from_secs(invoke_timeout),
            extra_members: random.chance(500),
            event_lead: Duration::from_secs(random.pick(&[0, 3])),
            duplicate_events: random.chance(300),
            ..Settings::default()
        };
        let troubles = random.chance(900);
        let faults = if troubles { Rates::draw(random) } else { Rates::default() };
        let crashes = if troubles { random.pick(&[0, 200, 500, 800]) } else { 0 };
        let mut lot = Self {
            settings,
            protection,
            faults,
            crashes,
            fresh: random.pick(&[0, 300, 1000]),
            function_timeout: random.pick(&[150, 300, 900]),
            concurrency: random.pick(&[2, 5, 20]) as usize,
            jobs_at_once: random.pick(&[1, 4]) as usize,
            clock_error: random.pick(&[0, 2, 20]),
            troubled: random.range(5, 25),
            calm: 60,
            executions: random.range(1, 12),
            abandoned: random.pick(&[0, 0, 150]),
            invoked_twice: random.pick(&[0, 300]),
            load: None,
        };
        if protection == Protection::Quiet {
            lot.crashes = 0;
            lot.invoked_twice = 0;
            lot.faults = Rates { silent: 0, slow: 0, ..lot.faults };
        }
        lot
    }

    /// A world without faults, for a load.
    pub(crate) fn of(load: Load) -> Self {
        // CodePipeline forgets ended jobs soon, so that the engine has few to look at.
        let settings = Settings { purge_after: Duration::from_secs(60), ..Settings::default() };
        Self {
            settings,
            protection: Protection::Ledger,
            faults: Rates::default(),
            crashes: 0,
            fresh: 0,
            function_timeout: 900,
            concurrency: load.concurrency,
            jobs_at_once: 4,
            clock_error: 0,
            troubled: 0,
            calm: 0,
            executions: 0,
            abandoned: 0,
            invoked_twice: 0,
            load: Some(load),
        }
    }

    /// Whether anything fails in this world. Under a load, polls are throttled.
    pub(crate) fn has_troubles(&self) -> bool {
        self.faults != Rates::default() || self.crashes > 0 || self.load.is_some()
    }

    /// A description for the first line of a trace.
    pub(crate) fn told(&self) -> String {
        let Self { protection, faults, crashes, function_timeout, concurrency, troubled, settings, .. } = self;
        format!(
            "{protection:?}, {crashes} of 1000 invocations die, {faults:?}, timeout {function_timeout} s, concurrency \
             {concurrency}, {troubled} min of trouble; {settings:?}"
        )
    }
}
