//! Many seeds, and proof that they tell the same story again.

use std::ops::Range;
use std::thread;

use super::{Report, run};

/// Seeds of a usual test run. `ASYNQ_SIMULATION=1000..9000` runs others.
const SEEDS: Range<u64> = 0..400;

#[test]
fn nothing_is_lost_whatever_happens() {
    let seeds = seeds();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let reports: Vec<Report> = thread::scope(|scope| {
        let shares: Vec<_> = (0..workers)
            .map(|first| {
                let seeds = seeds.clone().skip(first).step_by(workers);
                scope.spawn(move || seeds.map(checked).collect::<Vec<_>>())
            })
            .collect();
        shares.into_iter().flat_map(|share| share.join().expect("every seed goes well")).collect()
    });
    let sum = |of: fn(&Report) -> usize| reports.iter().map(of).sum::<usize>();
    println!(
        "seeds {seeds:?}: {} tasks ended, none lost; {} runs, {} upsets, {} late settlements refused",
        sum(|report| report.tasks),
        sum(|report| report.runs),
        sum(|report| report.upsets),
        sum(|report| report.refused),
    );
}

/// A server that was frozen took a task again whose earlier run it still had to settle, and settled the new run with the
/// outcome of the earlier one.
#[test]
fn an_earlier_run_of_the_same_server_settles_nothing_of_a_later_one() {
    checked(10_955);
}

#[test]
fn a_seed_tells_the_same_story_again() {
    for seed in [3, 14, 159] {
        let (first, second) = (run(seed).history, run(seed).history);
        for (one, other) in first.lines().zip(second.lines()) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

/// A run that must have gone well.
fn checked(seed: u64) -> Report {
    let report = run(seed);
    let Report { wrong, history, .. } = &report;
    assert!(wrong.is_empty(), "seed {seed} went wrong:\n{}\n\nIts history:\n{history}", wrong.join("\n"));
    report
}

#[expect(clippy::disallowed_methods, reason = "which seeds are run is told to the test alone")]
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("ASYNQ_SIMULATION") else { return SEEDS };
    let bounds = text.split_once("..").and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    bounds.unwrap_or_else(|| panic!("ASYNQ_SIMULATION is a range of seeds, such as 1000..9000, not `{text}`"))
}
