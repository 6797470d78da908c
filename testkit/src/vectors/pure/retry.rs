//! `retry_delay`: Go's default delay.

use std::collections::BTreeSet;

use asynq_core::router::default_delay;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::vectors::file::parse;

pub(super) fn delay(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Inputs {
        n: i32,
    }
    let Inputs { n } = parse(inputs);
    let delays: BTreeSet<u64> = (0..30).map(|random| default_delay(n, random).as_secs()).collect();
    let (min, max) = (delays.first().unwrap(), delays.last().unwrap());
    let steps: BTreeSet<u64> =
        delays.iter().zip(delays.iter().skip(1)).map(|(one, next)| next - one).collect();
    json!({"min_s": min, "max_s": max, "step_s": steps.first(), "values": delays.len()})
}
