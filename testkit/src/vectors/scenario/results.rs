//! Comparing the results of steps.

use serde_json::Value;

use super::clock::{Clocks, follows};
use super::names::Names;
use crate::vectors::compare::{Difference, compare_errors, fails, join, members};
use crate::vectors::file::Step;

/// Compares what a step answered. Values that follow the clock must follow ours.
pub(super) fn compare(
    at: &str,
    step: &Step,
    ours: &Value,
    clocks: &Clocks,
    names: &mut Names,
    into: &mut Vec<Difference>,
) {
    Comparison { step, clocks, names, into }.values(at, "", &step.result, ours);
}

struct Comparison<'a> {
    step: &'a Step,
    clocks: &'a Clocks,
    names: &'a mut Names,
    into: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    fn values(&mut self, at: &str, key: &str, go: &Value, ours: &Value) {
        match (go, ours) {
            (Value::Object(go), Value::Object(ours)) if fails(go) != fails(ours) => {
                let answer = |members: &serde_json::Map<String, Value>| Value::Object(members.clone());
                self.into.push(Difference::new(join(at, "error"), answer(go), answer(ours)));
            }
            (Value::Object(go), Value::Object(ours)) => {
                for (key, go, ours) in members(go, ours) {
                    match key {
                        "error" if go.is_object() => compare_errors(&join(at, key), go, ours, self.into),
                        // Server events are compared as a whole, at the end of a case.
                        "events" => {}
                        // The bytes are there too.
                        _ if key.ends_with("_text") => {}
                        _ => self.values(&join(at, key), key, go, ours),
                    }
                }
            }
            (Value::Array(go), Value::Array(ours)) if go.len() == ours.len() => {
                for (index, (go, ours)) in go.iter().zip(ours).enumerate() {
                    self.values(&format!("{at}[{index}]"), key, go, ours);
                }
            }
            _ if self.are_equal(key, go, ours) => {}
            _ => self.into.push(Difference::new(at, go, ours)),
        }
    }

    fn are_equal(&mut self, key: &str, go: &Value, ours: &Value) -> bool {
        let nothing = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        match (go, ours) {
            _ if go == ours => true,
            (Value::String(go), Value::String(ours)) if key == "date" => {
                let (go_step, our_step) = self.clocks.current();
                days_before(go, go_step.from) == days_before(ours, our_step.from)
            }
            (Value::String(go), Value::String(ours)) => {
                self.names.pair(go, ours) || self.names.mark(go) == self.names.mark(ours)
            }
            (Value::Number(go), Value::Number(ours)) if !Clocks::is_fixed(self.step) => {
                let unit = if key.ends_with("_ns") { 1_000_000_000 } else { 1 };
                let is_time = key.ends_with("_ns") || key.ends_with("_unix");
                let (Some(go), Some(ours)) = (go.as_i64(), ours.as_i64()) else { return false };
                match key {
                    // How much memory something takes, and which process it is, differ from run to run.
                    "memory_usage" | "pid" => true,
                    // How long something took: at all, or not.
                    "latency_ns" => (go > 0) == (ours > 0),
                    _ => is_time && follows(go, ours, unit, self.clocks.current()),
                }
            }
            // Go tells nil from empty where nothing else does.
            _ => ["headers", "payload_b64"].contains(&key) && nothing(go) && nothing(ours),
        }
    }
}

/// How many days before a moment, given in Unix nanoseconds, this date is.
fn days_before(date: &str, nanos: i64) -> i32 {
    let date: jiff::civil::Date = date.parse().unwrap();
    let moment = jiff::Timestamp::from_nanosecond(nanos.into()).unwrap();
    let today = jiff::tz::Offset::UTC.to_datetime(moment).date();
    today.since(date).unwrap().get_days()
}
