//! [`JobSchedule`]: when a job is enqueued by itself.

use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, MapDeserializer};

use super::{CodecError, Job};
use crate::error::{Error, Result};
use crate::task::Task;

/// When a job is enqueued by itself, made by `#[job(cron = "…", every = "…")]`.
#[derive(Clone, Copy, Debug)]
pub struct JobSchedule {
    /// The specifications, each an entry of its own.
    pub specs: &'static [&'static str],
    /// The time zone of those that name none; the scheduler's unless given.
    pub time_zone: Option<&'static str>,
    /// Makes the task: the job with the default of each argument.
    pub task: fn() -> Result<Task>,
}

impl JobSchedule {
    /// Each specification as Go's scheduler reads it: with its time zone in front.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.specs.iter().map(|&spec| match self.time_zone {
            // An interval is the same in all of them.
            Some(zone) if !spec.starts_with("@every ") => format!("CRON_TZ={zone} {spec}"),
            _ => spec.to_owned(),
        })
    }
}

/// The task of a job whose arguments all have their defaults.
///
/// # Errors
///
/// When an argument has none, or the payload cannot be encoded.
pub fn periodic_task<J: Job + DeserializeOwned>() -> Result<Task> {
    let nothing = MapDeserializer::<_, ValueError>::new(std::iter::empty::<(&str, &str)>());
    let job = J::deserialize(nothing)
        .map_err(|error| Error::Codec { job: J::NAME.to_owned(), source: CodecError::new(error) })?;
    job.to_task()
}
