//! Vector files as they are read.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One file: a suite of cases.
#[derive(Debug, Deserialize)]
pub(super) struct Suite {
    pub(super) format: String,
    #[serde(rename = "suite")]
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) cases: Vec<Box<RawValue>>,
}

/// A case that is a function of its inputs.
#[derive(Debug, Deserialize)]
pub(super) struct PureCase {
    pub(super) inputs: Box<RawValue>,
    pub(super) result: Value,
}

/// A case of steps on an empty database.
#[derive(Debug, Deserialize)]
pub(super) struct Scenario {
    pub(super) fixed_unix_ns: Option<i64>,
    pub(super) steps: Vec<Step>,
}

/// A step, and what Go did in it.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) op: String,
    pub(super) args: Option<Box<RawValue>>,
    pub(super) advance_ms: Option<u64>,
    pub(super) clock: StepClock,
    #[serde(default)]
    pub(super) result: Value,
    pub(super) state: Option<Vec<Value>>,
    #[serde(default)]
    pub(super) times: Vec<TimeRelation>,
}

/// What the clock showed in a step.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub(super) enum StepClock {
    Real { before_ns: i64, after_ns: i64 },
    Fixed { now_ns: i64 },
}

/// How a value in a state relates to the clock of the step that made it.
#[derive(Debug, Deserialize)]
pub(super) struct TimeRelation {
    pub(super) at: String,
    pub(super) step: usize,
    #[serde(default)]
    pub(super) exact: bool,
    pub(super) offset: Option<i64>,
    pub(super) offset_s: Option<i64>,
    pub(super) offset_s_range: Option<(i64, i64)>,
    pub(super) unit: Unit,
}

/// The unit of a time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(super) enum Unit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ns")]
    Nanoseconds,
}

impl Suite {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Self {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let suite: Self =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(suite.format, "asynq-vectors/1", "{}", path.display());
        suite
    }

    /// The name of a case, whatever its kind.
    pub(super) fn name_of(case: &RawValue) -> String {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        parse::<Named>(case).name
    }
}

/// Reads a part of a file that was left as text.
pub(super) fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> T {
    serde_json::from_str(raw.get()).unwrap_or_else(|error| panic!("{error} in {}", raw.get()))
}
