//! The ledger's protocol, checked in every order of events.
#![allow(unreachable_pub)]
mod moves;
mod rules;
mod service;
mod store;
mod trace;
mod worker;
mod world;

use codepipeline_worker::lifecycle::protocol::Afterwards;
use rules::{Faults, Rules, Service, Setting};
use world::Budget;

fn base() -> Setting {
    Setting {
        service: Service { bumps_nonce: false, answers_again: false, takes_early_results: false, offers_again_from: 0, offers_again_after: 1 },
        rules: Rules::ALL,
        faults: Faults::ALL,
        afterwards: Afterwards::Fail,
        workers: 3,
        jobs: 1,
        delivered: false,
        lenient: false,
        stranger: false,
        budget: Budget { crashes: 1, faults: 1, polls: 3, deliveries: 0 },
    }
}

#[test]
fn explore() {
    let get = |name: &str, default: u8| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let mut setting = base();
    setting.workers = usize::from(get("W", 3));
    setting.jobs = usize::from(get("J", 1));
    setting.budget = Budget { crashes: get("C", 1), faults: get("F", 1), polls: get("P", 3), deliveries: get("D", 0) };
    setting.delivered = get("D", 0) > 0;
    setting.lenient = get("LENIENT", 0) > 0;
    setting.stranger = get("STRANGER", 0) > 0;
    let r = &mut setting.rules;
    r.mark_done = get("NO_MARK", 0) == 0;
    r.read_back = get("NO_READBACK", 0) == 0;
    r.visible_retry = get("HIDDEN_RETRY", 0) == 0;
    r.conditional_delete = get("BLIND_DELETE", 0) == 0;
    r.fresh_id = get("SAME_ID", 0) == 0;
    r.vouching = get("NO_VOUCH", 0) == 0;
    r.untaken = get("NO_UNTAKEN", 0) == 0;
    let age = get("AGE", 3);
    r.adoption = [rules::Adoption::AnyTime, rules::Adoption::Unmarked(age), rules::Adoption::Marked(age), rules::Adoption::Never][usize::from(get("ADOPT", 2))];
    let off = std::env::var("OFF").unwrap_or_default();
    let f = &mut setting.faults;
    for name in off.split(',') {
        match name {
            "lost" => f.lost = false,
            "late" => f.late = false,
            "conflict" => f.conflict = false,
            "no_claim" => f.no_claim = false,
            "no_hold" => f.no_hold = false,
            "no_outcome" => f.no_outcome = false,
            "no_service" => f.no_service = false,
            _ => {}
        }
    }
    if get("RUN", 0) > 0 { setting.afterwards = Afterwards::Run; }
    let only = get("S", 255);
    for bits in 0..8_u8 {
        if only != 255 && only != bits { continue; }
        setting.service = Service { bumps_nonce: bits & 1 > 0, answers_again: bits & 2 > 0, takes_early_results: bits & 4 > 0, offers_again_from: get("RMIN", 0), offers_again_after: get("R", 1) };
        trace::explore(setting);
    }
}
