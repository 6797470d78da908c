//! [`SchedulerBuilder`]: how a scheduler is to work, and Go's defaults for what is not said.

use std::sync::Arc;
use std::time::Duration;

use super::cron::time_zone;
use super::hooks::{Firing, Hooks};
use super::{CatchUp, Scheduler};
use crate::client::{AsClient, Client};
use crate::error::{Error, Result};
use crate::router::{Registration, registered};
use crate::task::TaskInfo;

/// Sets up a [`Scheduler`].
///
/// | setting | default | Go's |
/// |---|---|---|
/// | [`time_zone`](Self::time_zone) | UTC | the same |
/// | [`heartbeat`](Self::heartbeat) | 10 s | the same |
/// | [`catch_up`](Self::catch_up) | [`CatchUp::None`] | the same |
/// | [`stored_schedules`](Self::stored_schedules) | false | none: Go stores no schedules |
#[derive(Debug)]
#[must_use = "a scheduler does nothing until it is started"]
pub struct SchedulerBuilder {
    pub(super) client: Client,
    pub(super) zone: String,
    pub(super) heartbeat: Duration,
    pub(super) catch_up: CatchUp,
    pub(super) stored: bool,
    pub(super) hooks: Hooks,
    /// Whose schedules to register.
    jobs: Result<Vec<&'static Registration>>,
}

impl SchedulerBuilder {
    pub(super) fn new(client: &impl AsClient) -> Self {
        Self {
            client: client.as_client().clone(),
            zone: "UTC".to_owned(),
            heartbeat: Duration::from_secs(10),
            catch_up: CatchUp::default(),
            stored: false,
            hooks: Hooks::default(),
            jobs: Ok(Vec::new()),
        }
    }

    /// The time zone of schedules that name none, such as `Europe/Rome`.
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.zone = name.into();
        self
    }

    /// How often the entries are published for inspectors; for twice that time, in whole seconds, they are believed.
    /// Half a second or more.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval.max(Duration::from_millis(500));
        self
    }

    /// What becomes of ticks that passed while no scheduler ran, for entries that do not say it themselves.
    pub fn catch_up(mut self, policy: CatchUp) -> Self {
        self.catch_up = policy;
        self
    }

    /// Whether it also has the [stored schedules](super::StoredSchedules), which are managed while programs run: it looks
    /// once a second whether any of them was changed.
    pub fn stored_schedules(mut self, run: bool) -> Self {
        self.stored = run;
        self
    }

    /// Called before a tick is enqueued, in every scheduler that tries. Should not block.
    pub fn before_enqueue(mut self, hook: impl Fn(&Firing<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.before = Some(Arc::new(hook));
        self
    }

    /// Called when a tick is enqueued, or is refused, or could not be enqueued in its time; not where another scheduler
    /// was faster. Should not block.
    pub fn after_enqueue(
        mut self,
        hook: impl Fn(&Firing<'_>, std::result::Result<&TaskInfo, &Error>) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.after = Some(Arc::new(hook));
        self
    }

    /// Registers the schedule of every job that has one: `#[job(cron = "…")]`, `#[job(every = "…")]`. A
    /// [`Server`](crate::server::Server) does that by itself; this is for a process that only schedules.
    pub fn registered(mut self) -> Self {
        self.jobs = registered()
            .map_err(Error::from)
            .and_then(|jobs| if jobs.is_empty() { Err(Error::NoJobs) } else { Ok(jobs) });
        self
    }

    /// Registers the schedules of these jobs.
    pub(crate) fn jobs(mut self, jobs: Vec<&'static Registration>) -> Self {
        self.jobs = Ok(jobs);
        self
    }

    /// The scheduler, which has not started yet.
    ///
    /// # Errors
    ///
    /// An invalid setting when there is no such time zone; [`Error::InvalidSchedule`], [`Error::NoJobs`] and
    /// [`Error::DuplicateJob`] for [`registered`](Self::registered) jobs.
    pub fn build(self) -> Result<Scheduler> {
        time_zone(&self.zone).map_err(|reason| Error::InvalidSetting { name: "time_zone", reason })?;
        let jobs = match &self.jobs {
            Ok(jobs) => jobs.clone(),
            Err(_) => return Err(self.jobs.err().unwrap_or(Error::NoJobs)),
        };
        let scheduler = Scheduler::new(self);
        for job in jobs {
            scheduler.register_job(job)?;
        }
        Ok(scheduler)
    }
}
