//! The long form: every scenario, again and again, until time is over.

use std::fmt::Write;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use asynq_testkit::Audit;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::form::Form;
use crate::{network, store, workers};

type Scenario = (&'static str, for<'a> fn(&'a Form) -> LocalBoxFuture<'a, Audit>);

macro_rules! scenarios {
    ($($name:literal => $run:path),* $(,)?) => {
        [$(($name, |form| $run(form).boxed_local())),*]
    };
}

const SCENARIOS: [Scenario; 14] = scenarios! {
    "network slow" => network::slow,
    "requests cut" => network::cut_requests,
    "replies cut" => network::cut_replies,
    "replies dropped" => network::drop_replies,
    "half-closed" => network::half_close,
    "nobody there" => network::away,
    "Redis frozen" => store::frozen,
    "Redis killed" => store::killed,
    "FLUSHALL" => store::flushed,
    "out of memory" => store::full,
    "SCRIPT FLUSH" => store::scripts_flushed,
    "workers killed" => workers::killed,
    "worker frozen" => workers::frozen,
    "rolling deploy" => workers::deployed,
};

/// Runs by `cargo xtask soak`, which says for how long, and from which seed on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as it is told to"]
async fn soak() {
    let minutes = number("ASYNQ_SOAK_MINUTES").unwrap_or(10);
    let seed = number("ASYNQ_SOAK_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let until = Instant::now() + Duration::from_secs(60 * minutes);
    let mut rows: Vec<Row> = SCENARIOS.iter().map(|(name, _)| Row { name, ..Row::default() }).collect();
    let mut round = 0;
    'all: loop {
        for ((name, run), row) in SCENARIOS.iter().zip(&mut rows) {
            if Instant::now() >= until {
                break 'all;
            }
            let seed = seed.wrapping_add(round);
            eprintln!("== {name}, seed {seed}");
            row.times += 1;
            // One that waits in vain is told, and the others go on.
            match AssertUnwindSafe(run(&Form::long(seed))).catch_unwind().await {
                Ok(audit) => {
                    eprintln!("{audit}");
                    row.audit.add(audit);
                }
                Err(_) => row.stuck += 1,
            }
        }
        round += 1;
    }
    println!("\n{}", table(&rows));
    let is_well = |row: &Row| row.stuck == 0 && row.audit.is_complete();
    assert!(rows.iter().all(is_well), "tasks were lost, or work did not go on");
}

/// What came of one scenario, all times together.
#[derive(Default)]
struct Row {
    name: &'static str,
    times: usize,
    stuck: usize,
    audit: Audit,
}

/// The audits as a table.
fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| fault | times | got stuck | acknowledged | done | archived | stored | lost | deleted by order | ran again | calls failed \
         | longest enqueue | work resumed within |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for Row { name, times, stuck, audit } in rows.iter().filter(|row| row.times > 0) {
        writeln!(
            text,
            "| {name} | {times} | {stuck} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1?} | {:.1?} |",
            audit.acknowledged,
            audit.done,
            audit.archived,
            audit.stored.len(),
            audit.lost.len(),
            audit.deleted,
            audit.ran_again,
            audit.failures,
            audit.longest,
            audit.resumed
        )
        .unwrap();
    }
    text
}

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "how `cargo xtask soak` tells this test what to do")]
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is `{value}`, and no number")))
}
