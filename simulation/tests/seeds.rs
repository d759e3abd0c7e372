//! Some hundred seeds, and a seed's story, which is the same each time.

use simulation::{Protection, Story, simulate};

/// Runs the seeds on as many threads as there are processors. Returns the stories of those that break a promise.
fn bad_ones(seeds: std::ops::Range<u64>, protection: Protection) -> Vec<Story> {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    std::thread::scope(|scope| {
        let run = |thread: usize| {
            let mine = seeds.clone().skip(thread).step_by(threads);
            scope.spawn(move || {
                let stories = mine.map(|seed| simulate(seed, protection).expect("the simulation runs"));
                stories.filter(|story| !story.broken.is_empty()).collect::<Vec<_>>()
            })
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no seed panics")).collect()
    })
}

fn told(story: &Story) -> String {
    format!("{}\nseed {} breaks promises: {:#?}", story.trace.join("\n"), story.seed, story.broken)
}

#[test]
fn seeds_break_no_promise() {
    if let Some(story) = bad_ones(0..200, Protection::Ledger).first() {
        panic!("{}", told(story));
    }
}

#[test]
fn seeds_without_a_ledger_and_deaths_lose_nothing() {
    if let Some(story) = bad_ones(0..40, Protection::Quiet).first() {
        panic!("{}", told(story));
    }
}

#[test]
fn seeds_without_a_ledger_but_with_deaths_hang() {
    let bad = bad_ones(0..20, Protection::None);
    let hang = |story: &Story| story.broken.iter().any(|broken| broken.contains("is still InProgress"));
    assert!(bad.iter().any(hang), "the witness did not notice that jobs hang");
}

#[test]
fn seeds_tell_the_same_story_twice() {
    for seed in [3, 30, 300] {
        let [one, other] = [(); 2].map(|()| simulate(seed, Protection::Ledger).expect("the simulation runs"));
        assert!(one.trace.len() > 100, "{} lines", one.trace.len());
        assert_eq!(one.trace, other.trace);
    }
}
