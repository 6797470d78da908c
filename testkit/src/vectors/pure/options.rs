//! `option_strings`, `option_parse`: options as text.

use asynq_core::wire::{EnqueueOption, GoDuration, GoReading, GoString, GoTime, go_readable};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::encoding::unhex;
use crate::vectors::file::parse as parse_inputs;

pub(super) fn string(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Inputs {
        opt: serde_json::Map<String, Value>,
        location: Option<String>,
    }
    let Inputs { opt, location } = parse_inputs(inputs);
    let (name, value) = opt.iter().next().unwrap();
    let option = option(name, value, location.as_deref());
    let text = option.to_string();
    assert_eq!(text.parse::<EnqueueOption>().unwrap().to_string(), text, "reads back");
    let (number, type_name) = kind(&option);
    json!({"string": text, "type": number, "type_name": type_name})
}

/// What Go's inspector shows of a list of options.
pub(super) fn parse(inputs: &RawValue) -> Value {
    #[derive(Deserialize)]
    struct Inputs {
        strings: Vec<String>,
    }
    let Inputs { strings } = parse_inputs(inputs);
    let mut options = Vec::new();
    for text in strings {
        match go_readable(&text) {
            GoReading::Option(option) => options.push(shown(&option)),
            GoReading::Dropped => {}
            GoReading::Panics => return json!({"panic": true}),
        }
    }
    json!({"options": options})
}

fn option(name: &str, value: &Value, location: Option<&str>) -> EnqueueOption {
    let string = || GoString::from(value.as_str().unwrap());
    let number = || value.as_i64().unwrap();
    let millis = || GoDuration(number() * 1_000_000);
    let time = |seconds: i64| time(seconds, location);
    match name {
        "queue" => EnqueueOption::Queue(string()),
        "queue_hex" => EnqueueOption::Queue(GoString::from(unhex(value.as_str().unwrap()))),
        "max_retry" => EnqueueOption::MaxRetry(number()),
        "timeout_ms" => EnqueueOption::Timeout(millis()),
        "timeout_ns" => EnqueueOption::Timeout(GoDuration(number())),
        "deadline_unix" => EnqueueOption::Deadline(time(number())),
        "deadline_unix_ms" => EnqueueOption::Deadline(time(number().div_euclid(1000))),
        // Year 1, in Go's zone for a time that was never set: UTC.
        "deadline_zero" => EnqueueOption::Deadline(GoTime::utc(-62_135_596_800)),
        "process_at_unix" => EnqueueOption::ProcessAt(time(number())),
        "process_at_unix_ms" => EnqueueOption::ProcessAt(time(number().div_euclid(1000))),
        "process_in_ms" => EnqueueOption::ProcessIn(millis()),
        "unique_ms" => EnqueueOption::Unique(millis()),
        "retention_ms" => EnqueueOption::Retention(millis()),
        "group" => EnqueueOption::Group(string()),
        "task_id" => EnqueueOption::TaskId(string()),
        _ => panic!("unknown option {name}"),
    }
}

fn time(seconds: i64, location: Option<&str>) -> GoTime {
    match location {
        None | Some("UTC") => GoTime::utc(seconds),
        Some(name) => {
            let at = Timestamp::from_second(seconds).unwrap();
            let zone = TimeZone::get(name).unwrap();
            let info = zone.to_offset_info(at);
            GoTime::in_zone(seconds, info.offset().seconds(), info.abbreviation())
        }
    }
}

/// Go's number and name of a kind of option.
fn kind(option: &EnqueueOption) -> (u8, &'static str) {
    match option {
        EnqueueOption::MaxRetry(_) => (0, "MaxRetryOpt"),
        EnqueueOption::Queue(_) => (1, "QueueOpt"),
        EnqueueOption::Timeout(_) => (2, "TimeoutOpt"),
        EnqueueOption::Deadline(_) => (3, "DeadlineOpt"),
        EnqueueOption::Unique(_) => (4, "UniqueOpt"),
        EnqueueOption::ProcessAt(_) => (5, "ProcessAtOpt"),
        EnqueueOption::ProcessIn(_) => (6, "ProcessInOpt"),
        EnqueueOption::TaskId(_) => (7, "TaskIDOpt"),
        EnqueueOption::Retention(_) => (8, "RetentionOpt"),
        EnqueueOption::Group(_) => (9, "GroupOpt"),
        other => panic!("Go v0.26.0 does not have {other}"),
    }
}

fn shown(option: &EnqueueOption) -> Value {
    let mut shown = json!({"string": option.to_string(), "type_name": kind(option).1});
    match option {
        EnqueueOption::MaxRetry(times) => shown["value"] = json!(times),
        EnqueueOption::Queue(text) | EnqueueOption::TaskId(text) | EnqueueOption::Group(text) => {
            // As Go's JSON encoder shows what is not UTF-8.
            shown["value"] = String::from_utf8_lossy(text.as_bytes()).into();
        }
        EnqueueOption::Timeout(duration)
        | EnqueueOption::Unique(duration)
        | EnqueueOption::ProcessIn(duration)
        | EnqueueOption::Retention(duration) => shown["value_ns"] = json!(duration.0),
        EnqueueOption::Deadline(at) | EnqueueOption::ProcessAt(at) => {
            shown["value_unix"] = json!(at.unix_seconds());
        }
        _ => {}
    }
    shown
}
