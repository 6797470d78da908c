//! `cron`: when a specification fires.

use asynq_core::scheduler::Schedule;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::vectors::file::parse;
use crate::vectors::inputs::error;

/// `go` only says whether its parser panics where ours gives an error.
pub(super) fn fire_times(inputs: &RawValue, go: &Value) -> Value {
    #[derive(Deserialize)]
    struct Inputs {
        spec: String,
        #[serde(default)]
        location: String,
        from: String,
        count: Option<usize>,
    }
    let Inputs { spec, location, from, count } = parse(inputs);
    let from: Timestamp = from.parse().unwrap();
    let schedule = match Schedule::parse(&spec, &location) {
        Ok(schedule) => schedule,
        Err(_) if !go["panic"].is_null() => return json!({"panic": true}),
        Err(wrong) => return error("bad_spec", wrong),
    };
    let zone = if location.is_empty() { TimeZone::UTC } else { TimeZone::get(&location).unwrap() };
    let count = count.unwrap_or(5);
    let times: Vec<Timestamp> =
        std::iter::successors(schedule.next(from), |last| schedule.next(*last)).take(count).collect();
    let next: Vec<Value> = times
        .iter()
        .map(|at| {
            let local = at.to_zoned(zone.clone());
            let offset = if local.offset().is_zero() { "Z" } else { "%:z" };
            let local = local.strftime(&format!("%Y-%m-%dT%H:%M:%S{offset}")).to_string();
            json!({"local": local, "nanos": at.subsec_nanosecond(), "unix": at.as_second()})
        })
        .collect();
    json!({"next": next, "never_again": times.len() < count})
}
