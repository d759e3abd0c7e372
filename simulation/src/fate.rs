//! What becomes of one request on its way.

use crate::lot::Protection;
use crate::network::Request;
use crate::random::Random;
use crate::service::Reply;
use crate::world::World;

/// The longest that a request is under way. The ledger's leases reckon with less than 10 s from a client's end to the
/// effect of what it had sent (design: a lease is the deadline and 10 s).
const LONGEST_WAY: u64 = 9_000;

/// One request's.
pub(crate) struct Fate {
    /// Milliseconds until it arrives.
    pub(crate) there: u64,
    pub(crate) arrival: Arrival,
    /// Milliseconds until its answer, or the news of a broken connection, is back.
    pub(crate) back: u64,
    /// Whether the answer comes back.
    pub(crate) answered: bool,
    /// Whether the client hears nothing at all, not even that its connection broke.
    pub(crate) silent: bool,
}

/// What the service makes of it.
pub(crate) enum Arrival {
    /// It gets there. If `cut`, an object's bytes come back only in part.
    TakesEffect { cut: bool },
    /// It is refused before it takes effect.
    Refused(Reply),
    /// It takes effect, but the service says that it failed.
    Fails(Reply),
    /// It gets lost.
    Never,
}

impl Fate {
    /// Draws one, by the request's name alone.
    pub(crate) fn draw(world: &World, name: &str, request: &Request) -> Self {
        let mut random = world.random(name);
        let random = &mut random;
        let (there, back) = (random.range(1, 25), random.range(1, 25));
        let well = Self { there, arrival: Arrival::TakesEffect { cut: false }, back, answered: true, silent: false };
        if !world.is_troubled() {
            return well;
        }
        let rates = world.lot.faults;
        let is_object = request.is_object();
        // Without a ledger nobody can tell what became of a job whose acknowledgement was lost.
        let is_doubtless = world.lot.protection == Protection::Quiet && request.what.starts_with("Acknowledge");
        let mut dice = random.next() % 1000;
        let mut falls = |rate: u64| {
            let hit = dice < rate;
            dice = dice.wrapping_sub(rate);
            hit
        };
        if falls(rates.throttled) {
            let reply = if is_object {
                Reply::s3_error(503, "SlowDown")
            } else {
                Reply::json_error(400, "ThrottlingException")
            };
            return Self { arrival: Arrival::Refused(reply), ..well };
        }
        if falls(rates.failed) {
            let reply = if is_object {
                Reply::s3_error(500, "InternalError")
            } else {
                Reply::json_error(500, "InternalFailure")
            };
            let effect = !is_doubtless && random.chance(500);
            let arrival = if effect { Arrival::Fails(reply) } else { Arrival::Refused(reply) };
            return Self { arrival, ..well };
        }
        if falls(rates.reset) {
            return Self { arrival: Arrival::Never, answered: false, ..well };
        }
        if is_object && request.is_conditional_write() && falls(rates.conflict) {
            return Self { arrival: Arrival::Refused(Reply::s3_error(409, "ConditionalRequestConflict")), ..well };
        }
        if is_object && falls(rates.cut) {
            return Self { arrival: Arrival::TakesEffect { cut: true }, ..well };
        }
        if is_doubtless {
            return well;
        }
        if falls(rates.lost) {
            return Self { answered: false, ..well };
        }
        if falls(rates.silent) {
            let arrival = if random.chance(500) { Arrival::Never } else { Arrival::TakesEffect { cut: false } };
            return Self { arrival, answered: false, silent: true, ..well };
        }
        if falls(rates.slow) {
            return well.slowly(random);
        }
        well
    }

    /// Slow on its way there or back.
    fn slowly(self, random: &mut Random) -> Self {
        let delay = random.range(500, LONGEST_WAY);
        if random.chance(500) { Self { there: delay, ..self } } else { Self { back: delay, ..self } }
    }
}
