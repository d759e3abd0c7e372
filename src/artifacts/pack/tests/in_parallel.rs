//! Threads change nothing but the time: not the bytes, not the errors, and none of them stays.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex};

use super::super::in_order::Weighed;
use super::*;

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    std::os::unix::fs::symlink("folder", folder.path().join("link")).unwrap();
    let mut wanted = Vec::new();
    let lengths = [0, 1, 100, 5000, 70_000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, 3_000_000];
    for (number, length) in lengths.into_iter().enumerate() {
        let mixed = [noise(3, length / 2), text(4, length / 2)].concat();
        for (kind, content) in [("a", noise(1, length)), ("b", text(2, length)), ("c", mixed)] {
            let name = format!("folder/{number}{kind}");
            std::fs::write(folder.path().join(&name), &content).unwrap();
            wanted.push((name, content));
        }
    }
    wanted.sort();
    let one = packed(1, folder.path());
    let read: Vec<_> = files(&one).into_iter().filter(|(name, _)| !name.ends_with('/') && name != "link").collect();
    assert!(read == wanted, "the archive has other content");
    for threads in [2, 16] {
        assert!(packed(threads, folder.path()) == one, "{threads} threads pack other bytes");
    }
}

const CREW: Crew = Crew { threads: 3, bytes_in_flight: 4 };

fn task<E>(task: usize) -> Result<Weighed<usize>, E> {
    Ok(Weighed { task, bytes: 1 })
}

#[test]
fn results_come_in_the_order_of_their_tasks() {
    for threads in [1, 2, 16] {
        let crew = Crew { threads, ..CREW };
        let mut taken = Vec::new();
        let take = |result| {
            taken.push(result);
            Ok::<_, Infallible>(())
        };
        in_order(crew, (0..1000).map(task), || |task| task * 2, take).unwrap();
        assert_eq!(taken, (0..1000).map(|task| task * 2).collect::<Vec<_>>());
    }
}

#[test]
fn threads_run_tasks_at_the_same_time() {
    let (running, changed) = (Mutex::new(0), Condvar::new());
    let meet = |_| {
        let mut count = running.lock().unwrap();
        *count += 1;
        changed.notify_all();
        drop(changed.wait_while(count, |count| *count < 3).unwrap());
    };
    in_order(CREW, (0..3).map(task), || meet, |()| Ok::<_, Infallible>(())).unwrap();
}

#[test]
fn no_more_than_the_crew_may_hold_is_in_flight() {
    let (supplied, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tasks = (0..1000).map(|number| {
        assert!(supplied.fetch_add(1, Relaxed) < taken.load(Relaxed) + CREW.bytes_in_flight);
        task(number)
    });
    let take = |_| {
        taken.fetch_add(1, Relaxed);
        Ok::<_, Infallible>(())
    };
    in_order(CREW, tasks, || |task| task, take).unwrap();
}

#[test]
fn the_first_error_in_order_is_returned() {
    for threads in [1, 2, 16] {
        let crew = Crew { threads, ..CREW };
        let tasks = (0..20).map(|number| if number == 10 { Err("supply") } else { task(number) });
        let until = |bad: usize| move |result: usize| if result == bad { Err("take") } else { Ok(()) };
        assert_eq!(in_order(crew, tasks.clone(), || |task| task, until(9)), Err("take"));
        assert_eq!(in_order(crew, tasks, || |task| task, until(10)), Err("supply"));
    }
}

#[test]
fn an_error_ends_all_threads() {
    let run = AtomicUsize::new(0);
    let work = |task| {
        run.fetch_add(1, Relaxed);
        task
    };
    let ended = in_order(CREW, (0..1000).map(task), || work, |_| Err("the upload failed"));
    assert_eq!(ended, Err("the upload failed"));
    assert!(run.load(Relaxed) <= CREW.bytes_in_flight);
}

#[test]
fn a_panic_of_any_task_is_passed_on() {
    for (threads, bad) in [(1, 5), (2, 0), (2, 5), (3, 19), (16, 5)] {
        let crew = Crew { threads, ..CREW };
        let work = |task| if task == bad { panic!("task {task}") } else { task };
        let packing = || in_order(crew, (0..20).map(task), || work, |_| Ok::<_, Infallible>(()));
        let panic = catch_unwind(AssertUnwindSafe(packing)).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>(), Some(&format!("task {bad}")));
    }
}

#[test]
fn a_panic_of_the_calling_thread_ends_the_others() {
    let packing =
        || in_order(CREW, (0..20).map(task), || |task: usize| task, |_| -> Result<(), Infallible> { panic!("take") });
    let panic = catch_unwind(AssertUnwindSafe(packing)).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"take"));
}
