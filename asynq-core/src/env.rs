//! Settings from the environment: every variable, and nothing reads one anywhere else.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `ASYNQ_REDIS_URL` | where Redis is: `redis://[[user]:password@]host[:port][/db]`, or [another form](crate::broker::redis::Address) | `redis://127.0.0.1:6379` |
//! | `ASYNQ_QUEUES` | queues and priorities: `critical=6,default=3,low=1`; a name alone counts 1 | the queues of all registered jobs |
//! | `ASYNQ_CONCURRENCY` | how many tasks run at a time | number of CPUs |
//! | `ASYNQ_PREFETCH` | how many tasks are taken ahead of free slots, at most; see [`prefetch`](crate::server::ServerBuilder::prefetch) | 0 |
//! | `ASYNQ_STRICT` | `true`: a queue is served only while those of higher priority are empty | `false` |
//! | `ASYNQ_SCHEDULER` | `false`: leave it to others to enqueue the jobs that have a schedule | `true` |
//! | `ASYNQ_STORED_SCHEDULES` | `true`: enqueue the tasks of the schedules in the store, too | `false` |
//! | `ASYNQ_RUN_TIMES` | `true`: tell how long runs took, for the charts of the Web UI | `false` |
//! | `ASYNQ_SHUTDOWN_TIMEOUT` | how long running tasks may take to finish at shutdown: `30s`, `5m` | `8s` |

use std::time::Duration;

use crate::error::{Error, Result};
use crate::task::QueueName;

/// Where Redis is when nothing says otherwise.
pub const DEFAULT_REDIS_URL: &str = "redis://127.0.0.1:6379";

/// The settings that were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) queues: Option<Vec<(QueueName, u32)>>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) prefetch: Option<usize>,
    pub(crate) strict: Option<bool>,
    pub(crate) shutdown_timeout: Option<Duration>,
    pub(crate) scheduler: Option<bool>,
    pub(crate) stored_schedules: Option<bool>,
    pub(crate) run_times: Option<bool>,
}

/// `ASYNQ_REDIS_URL`, or the default.
pub(crate) fn redis_url() -> Result<String> {
    Ok(read("ASYNQ_REDIS_URL")?.unwrap_or_else(|| DEFAULT_REDIS_URL.to_owned()))
}

impl Settings {
    /// Reads the server's settings.
    pub(crate) fn read() -> Result<Self> {
        Self::from(read)
    }

    fn from(read: impl Fn(&'static str) -> Result<Option<String>>) -> Result<Self> {
        Ok(Self {
            queues: parse(&read, "ASYNQ_QUEUES", queues)?,
            concurrency: parse(&read, "ASYNQ_CONCURRENCY", concurrency)?,
            prefetch: parse(&read, "ASYNQ_PREFETCH", prefetch)?,
            strict: parse(&read, "ASYNQ_STRICT", boolean)?,
            shutdown_timeout: parse(&read, "ASYNQ_SHUTDOWN_TIMEOUT", duration)?,
            scheduler: parse(&read, "ASYNQ_SCHEDULER", boolean)?,
            stored_schedules: parse(&read, "ASYNQ_STORED_SCHEDULES", boolean)?,
            run_times: parse(&read, "ASYNQ_RUN_TIMES", boolean)?,
        })
    }
}

/// A variable; set to nothing is as good as not set.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn read(name: &'static str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value.trim().to_owned())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::InvalidSetting { name, reason: "is not valid UTF-8".to_owned() })
        }
    }
}

fn parse<T>(
    read: impl Fn(&'static str) -> Result<Option<String>>,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>> {
    let Some(value) = read(name)? else { return Ok(None) };
    parse(&value).map(Some).map_err(|reason| Error::InvalidSetting { name, reason })
}

fn queues(text: &str) -> Result<Vec<(QueueName, u32)>, String> {
    let mut queues: Vec<(QueueName, u32)> = Vec::new();
    for item in text.split(',').map(str::trim) {
        let (name, priority) = match item.rsplit_once('=') {
            Some((name, priority)) => {
                let number = priority
                    .trim()
                    .parse()
                    .ok()
                    .filter(|&number| number > 0 && i32::try_from(number).is_ok());
                let number = number
                    .ok_or_else(|| format!("priority of `{item}` must be a whole number of 1 or more"))?;
                (name.trim(), number)
            }
            None => (item, 1),
        };
        let name = QueueName::new(name).map_err(|_blank| {
            format!("`{text}` has an entry without a name; write `critical=6,default=3`")
        })?;
        if queues.iter().any(|(other, _)| *other == name) {
            return Err(format!("queue `{name}` is given twice"));
        }
        queues.push((name, priority));
    }
    Ok(queues)
}

fn concurrency(text: &str) -> Result<usize, String> {
    whole(text, 1)
}

fn prefetch(text: &str) -> Result<usize, String> {
    whole(text, 0)
}

fn whole(text: &str, least: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (least..=1_000_000).contains(number))
        .ok_or_else(|| format!("`{text}` must be a whole number from {least} to 1000000"))
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` must be `true` or `false`")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` must be a whole number with a unit, such as `500ms`, `30s`, `5m` or `1h`");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_error| wrong())?;
    let milliseconds = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings> {
        Settings::from(|name| {
            Ok(pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn nothing_set_is_all_defaults() {
        assert_eq!(settings(&[]).unwrap(), Settings::default());
    }

    #[test]
    fn everything_set_is_read() {
        let read = settings(&[
            ("ASYNQ_QUEUES", "critical=6, default=3,low"),
            ("ASYNQ_CONCURRENCY", "50"),
            ("ASYNQ_PREFETCH", "40"),
            ("ASYNQ_STRICT", "yes"),
            ("ASYNQ_SHUTDOWN_TIMEOUT", "30s"),
            ("ASYNQ_SCHEDULER", "off"),
            ("ASYNQ_STORED_SCHEDULES", "on"),
            ("ASYNQ_RUN_TIMES", "on"),
        ])
        .unwrap();
        let queue = |name| QueueName::new(name).unwrap();
        assert_eq!(read.queues, Some(vec![(queue("critical"), 6), (queue("default"), 3), (queue("low"), 1)]));
        assert_eq!((read.concurrency, read.strict, read.scheduler), (Some(50), Some(true), Some(false)));
        assert_eq!(read.prefetch, Some(40));
        assert_eq!((read.stored_schedules, read.run_times), (Some(true), Some(true)));
        assert_eq!(read.shutdown_timeout, Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_wrong_value_is_told_with_what_is_allowed() {
        let wrong = [
            ("ASYNQ_QUEUES", "a=0", "priority of `a=0` must be a whole number of 1 or more"),
            ("ASYNQ_QUEUES", "a=x", "priority of `a=x` must be a whole number of 1 or more"),
            ("ASYNQ_QUEUES", "a,,b", "`a,,b` has an entry without a name; write `critical=6,default=3`"),
            ("ASYNQ_QUEUES", "a,a", "queue `a` is given twice"),
            ("ASYNQ_CONCURRENCY", "0", "`0` must be a whole number from 1 to 1000000"),
            ("ASYNQ_PREFETCH", "some", "`some` must be a whole number from 0 to 1000000"),
            ("ASYNQ_STRICT", "maybe", "`maybe` must be `true` or `false`"),
            (
                "ASYNQ_SHUTDOWN_TIMEOUT",
                "30",
                "`30` must be a whole number with a unit, such as `500ms`, `30s`, `5m` or `1h`",
            ),
        ];
        for (name, value, reason) in wrong {
            let error = settings(&[(name, value)]).unwrap_err().to_string();
            assert_eq!(error, format!("invalid setting `{name}`: {reason}"));
        }
    }
}
