//! The fate of one request on its way.

use crate::lot::Protection;
use crate::network::Request;
use crate::random::Random;
use crate::service::Reply;
use crate::world::World;

/// The longest time that a request is under way. A lease is the deadline and 10 s, so less than 10 s may pass from a
/// client's end to the effect of its last request.
const LONGEST_WAY: u64 = 9_000;

/// The fate of one request.
pub(crate) struct Fate {
    /// Milliseconds until the request arrives.
    pub(crate) there: u64,
    pub(crate) arrival: Arrival,
    /// Milliseconds until the response, or the news of a broken connection, arrives.
    pub(crate) back: u64,
    /// Whether the response arrives.
    pub(crate) answered: bool,
    /// Whether the client learns nothing, not even that its connection broke.
    pub(crate) silent: bool,
}

/// The effect of a request at the service.
pub(crate) enum Arrival {
    /// The request takes effect. If `cut`, an object's bytes arrive only in part.
    TakesEffect { cut: bool },
    /// The service refuses the request before it takes effect.
    Refused(Reply),
    /// The request takes effect, but the service says that it failed.
    Fails(Reply),
    /// The request is lost.
    Never,
}

impl Fate {
    /// Draws a fate from the request's name alone.
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
        // Without a ledger, no worker can learn what became of a job whose acknowledgement was lost.
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

    /// Slow on the way there or back.
    fn slowly(self, random: &mut Random) -> Self {
        let delay = random.range(500, LONGEST_WAY);
        if random.chance(500) { Self { there: delay, ..self } } else { Self { back: delay, ..self } }
    }
}
