//! Scenarios: steps on an empty database, each compared in its result and in what it left behind.

mod aggregation;
mod behavior;
mod broker;
mod client;
mod clock;
mod groups;
mod inspector;
mod names;
mod raw;
mod results;
mod scheduler;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod world;

use std::time::Duration;

use serde_json::Value;

use self::clock::Clocks;
pub use self::inspector::inspect;
use self::names::Names;
use self::world::World;
use super::file::{Scenario, Step};
use super::runner::Outcome;
use crate::{RedisServer, dump};

/// Runs the steps of a case.
pub(super) async fn run(case: &Scenario, redis: &RedisServer) -> Outcome {
    let missing = case.steps.iter().filter_map(world::missing).collect();
    let mut outcome = Outcome { missing, ..Outcome::default() };
    if !outcome.missing.is_empty() {
        return outcome;
    }
    redis.command::<()>(&["FLUSHALL"]).await;
    let mut world = World::new(redis, case).await;
    let mut clocks = Clocks::new(case);
    let mut names = Names::new(case);
    for (number, step) in case.steps.iter().enumerate() {
        if let Some(millis) = step.advance_ms {
            world.clock.advance(Duration::from_millis(millis));
        }
        let before = world.now(&step.op);
        let result = world.step(step).await;
        clocks.passed(before, world.now(&step.op));

        let differences = &mut outcome.differences;
        let at = format!("step {number} result");
        results::compare(&at, step, &result, &clocks, &mut names, differences);
        // What a running server is told to do shows in this dump or in the next, as it happens.
        if let Some(go) = step.state.as_ref().filter(|_| step.op != "inspect" || !world.worker.is_expected())
        {
            let ours = dump::dump(&mut world.redis).await;
            state::compare(&format!("step {number}"), step, go, &ours, &clocks, &names, differences);
        }
    }
    world.worker.compare_events(case, &mut outcome.differences);
    world.periodic.compare_events(case, &mut outcome.differences);
    outcome
}

/// The arguments of a step as text; there is always something to parse.
fn arguments(step: &Step) -> &serde_json::value::RawValue {
    static NONE: std::sync::LazyLock<Box<serde_json::value::RawValue>> = std::sync::LazyLock::new(|| {
        serde_json::value::to_raw_value(&Value::Object(serde_json::Map::new())).unwrap()
    });
    step.args.as_deref().unwrap_or(&NONE)
}
