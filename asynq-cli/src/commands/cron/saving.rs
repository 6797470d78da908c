//! `asynq cron create` and `edit`: what is stored of a schedule, as options say it.

use std::time::Duration;

use asynq_core::Error;
use asynq_core::inspector::PayloadFormat;
use asynq_core::scheduler::{CatchUp, KnownSchedule, PeriodicTask, StoredSchedule, StoredSchedules};
use asynq_core::task::{Task, TaskOptions};
use clap::Args;

use super::super::task::{formats, pair, payload_bytes};
use super::show;
use crate::app::App;
use crate::failure::Failure;
use crate::{complete, human};

/// What a schedule enqueues, and how.
#[derive(Args, Clone, Debug)]
struct Details {
    /// The time zone of the specification: `Europe/Rome`. UTC, unless one is given.
    #[arg(long, visible_alias = "timezone", value_name = "ZONE")]
    time_zone: Option<String>,
    /// The payload; `@FILE` reads a file, `-` reads stdin.
    #[arg(short = 'l', long)]
    payload: Option<String>,
    /// What the payload is.
    #[arg(long, default_value_t, value_parser = formats(), requires = "payload")]
    payload_format: PayloadFormat,
    /// The queue.
    #[arg(short = 'q', long, add = complete::queues())]
    queue: Option<String>,
    /// The group to wait in.
    #[arg(short = 'g', long)]
    group: Option<String>,
    /// How often a task may be retried.
    #[arg(long, visible_alias = "max-retry")]
    retry: Option<u32>,
    /// How long an attempt may take.
    #[arg(long, value_parser = human::duration)]
    timeout: Option<Duration>,
    /// How long after its tick a task must be done.
    #[arg(long, value_parser = human::duration)]
    expires_in: Option<Duration>,
    /// How long no other task like it is taken.
    #[arg(long, value_parser = human::duration)]
    unique: Option<Duration>,
    /// How long it is kept when it is done.
    #[arg(long, value_parser = human::duration)]
    retention: Option<Duration>,
    /// A header: `name=value`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    header: Vec<(String, String)>,
    /// What becomes of ticks that passed while no scheduler ran: `none`, `last`, or how many of the last ones are made up.
    /// Without it, what the scheduler says.
    #[arg(long, value_name = "POLICY", value_parser = catch_up)]
    catch_up: Option<CatchUp>,
    /// Store nothing; show what would be stored, and when it fires.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Create {
    /// The name, which no other stored schedule has.
    #[arg(value_name = "NAME")]
    name: String,
    /// When it fires: `"0 9 * * mon-fri"`, `@daily`, `"@every 10m"`.
    #[arg(long)]
    spec: String,
    /// The type of its tasks.
    #[arg(short = 't', long = "type", value_name = "TYPE", add = complete::types())]
    task_type: String,
    #[command(flatten)]
    details: Details,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Edit {
    /// The name.
    #[arg(value_name = "NAME", add = complete::schedules())]
    name: String,
    /// When it fires: `"0 9 * * mon-fri"`, `@daily`, `"@every 10m"`.
    #[arg(long)]
    spec: Option<String>,
    /// Options to take back, such as `max_retry,timeout`: what the server or the job says is done then.
    #[arg(long, value_name = "OPTIONS", value_delimiter = ',')]
    unset: Vec<String>,
    #[command(flatten)]
    details: Details,
}

/// `none`, `last` or a number.
fn catch_up(text: &str) -> Result<CatchUp, String> {
    match text {
        "none" => Ok(CatchUp::None),
        "last" => Ok(CatchUp::Last),
        number => match number.parse() {
            Ok(limit @ 1..) => Ok(CatchUp::All(limit)),
            _ => Err("must be `none`, `last`, or a number of ticks, 1 or more".to_owned()),
        },
    }
}

impl Details {
    fn payload(&self) -> Result<Option<Vec<u8>>, Failure> {
        self.payload.as_ref().map(|given| payload_bytes(self.payload_format, given)).transpose()
    }

    /// The options that are given, over these.
    fn options(&self, mut options: TaskOptions) -> TaskOptions {
        if let Some(queue) = &self.queue {
            options = options.queue(queue);
        }
        if let Some(group) = &self.group {
            options = options.group(group);
        }
        if let Some(times) = self.retry {
            options = options.max_retry(times);
        }
        if let Some(limit) = self.timeout {
            options = options.timeout(limit);
        }
        if let Some(limit) = self.expires_in {
            options = options.expires_in(limit);
        }
        if let Some(time) = self.unique {
            options = options.unique(time);
        }
        if let Some(keep) = self.retention {
            options = options.retention(keep);
        }
        for (name, value) in &self.header {
            options = options.header(name, value);
        }
        options
    }

    fn changes_nothing(&self) -> bool {
        self.time_zone.is_none()
            && self.payload.is_none()
            && self.catch_up.is_none()
            && self.options(TaskOptions::new()) == TaskOptions::new()
    }
}

impl Create {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let schedules = StoredSchedules::new(&app.client);
        let task = match self.details.payload()? {
            Some(payload) => Task::new(&self.task_type, payload),
            None => Task::without_payload(&self.task_type),
        };
        let task = task.map_err(Error::from)?.options(self.details.options(TaskOptions::new()));
        let mut periodic = PeriodicTask::new(self.spec, task).name(&self.name);
        if let Some(zone) = self.details.time_zone {
            periodic = periodic.time_zone(zone);
        }
        if let Some(policy) = self.details.catch_up {
            periodic = periodic.catch_up(policy);
        }
        if self.details.dry_run {
            return tell(app, &schedules.check_new(periodic).await?, "would be created");
        }
        tell(app, &schedules.create(periodic).await?, "created")
    }
}

impl Edit {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let schedules = StoredSchedules::new(&app.client);
        if self.spec.is_none() && self.unset.is_empty() && self.details.changes_nothing() {
            return Err(Failure::usage(
                "nothing to change: give --spec, --time-zone, --payload, --catch-up, or an option of its tasks",
            ));
        }
        let mut schedule = schedules.get(&self.name).await?;
        if let Some(payload) = self.details.payload()? {
            schedule.set_payload(payload);
        }
        for option in &self.unset {
            if !schedule.unset(option) {
                let option = human::printable(option);
                return Err(Failure::usage(format!(
                    "--unset: `{option}` is no option of a task; they are queue, max_retry, timeout, deadline, \
                     expires_in, unique, unique_key, unique_by, unique_until, process_at, process_in, task_id, \
                     retention, group"
                )));
            }
        }
        schedule.options = self.details.options(std::mem::take(&mut schedule.options));
        if let Some(spec) = self.spec {
            schedule.spec = spec;
        }
        if let Some(zone) = self.details.time_zone {
            schedule.time_zone = zone;
        }
        schedule.catch_up = self.details.catch_up.or(schedule.catch_up);
        if self.details.dry_run {
            return tell(app, &schedules.check(schedule).await?, "would be changed");
        }
        tell(app, &schedules.save(schedule).await?, "changed")
    }
}

/// What became of a schedule: a line and its next time for people, all about it for programs.
fn tell(app: &App, schedule: &StoredSchedule, what: &str) -> Result<(), Failure> {
    let now = app.now();
    let next = match schedule.next_times(now, 1).first() {
        Some(at) => format!("fires next {} ({})", human::local(*at), human::relative(*at, now)),
        None if schedule.paused_since().is_some() => "is paused".to_owned(),
        None => "does not fire in the next five years".to_owned(),
    };
    let known = KnownSchedule::from(schedule.clone());
    app.printer.outcome(
        &format!("schedule {}: {what}; {next}", human::printable(schedule.name())),
        &show::record(&known, now),
    )
}
