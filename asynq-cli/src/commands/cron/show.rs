//! `asynq cron show`: all about schedules.

use asynq_core::Error;
use asynq_core::scheduler::{CatchUp, KnownSchedule, Schedule, StoredSchedule, StoredSchedules, in_words};
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::super::for_each;
use crate::app::App;
use crate::failure::Failure;
use crate::output::{Cell, Record};
use crate::{complete, human};

/// How many of the next times are told.
const NEXT: usize = 5;

#[derive(Args, Clone, Debug)]
pub(crate) struct Show {
    /// Names of stored schedules, or IDs of entries.
    #[arg(required = true, value_name = "SCHEDULE", add = complete::entries())]
    schedules: Vec<String>,
}

impl Show {
    pub(super) async fn run(self, app: &App) -> Result<(), Failure> {
        let known = StoredSchedules::new(&app.client).known().await?.schedules;
        let (records, result) =
            for_each(&self.schedules, async |given| Ok(record(&named(app, &known, given).await?, app.now())))
                .await;
        if !records.is_empty() {
            app.printer.records(&records)?;
        }
        result
    }
}

/// The schedule of this name or this ID.
pub(super) async fn named(app: &App, known: &[KnownSchedule], given: &str) -> Result<KnownSchedule, Failure> {
    let by_name = known.iter().find(|schedule| schedule.name() == Some(given));
    if let Some(schedule) = by_name.or_else(|| known.iter().find(|schedule| schedule.entry.id == given)) {
        return Ok(schedule.clone());
    }
    // What is stored there and cannot be read says why.
    match StoredSchedules::new(&app.client).get(given).await {
        Err(Error::ScheduleNotFound { name }) => Err(Failure::not_found(format!(
            "schedule not found: `{}` is neither stored nor an entry of a scheduler that lives",
            human::printable(&name)
        ))),
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::not_found(format!(
            "schedule `{}` has just come: try again",
            human::printable(given)
        ))),
    }
}

/// All about a schedule.
pub(super) fn record(schedule: &KnownSchedule, now: Timestamp) -> Record {
    let entry = &schedule.entry;
    let next = match &schedule.stored {
        Some(stored) => stored.next_times(now, NEXT),
        None => Schedule::parse(&entry.spec, "UTC").map_or_else(
            |_| entry.next.into_iter().collect(),
            |times| {
                entry
                    .next
                    .into_iter()
                    .chain(entry.next.iter().flat_map(|at| times.ticks(*at)))
                    .take(NEXT)
                    .collect()
            },
        ),
    };
    let mut options: Vec<String> = entry.options.iter().map(ToString::to_string).collect();
    options.extend(entry.unreadable_options.iter().cloned());
    let record = Record::new()
        .field("name", "Name", schedule.name().map_or_else(Cell::none, Cell::text))
        .field("id", "ID", Cell::text(&entry.id))
        .field("state", "State", Cell::text(schedule.state().as_str()))
        .field(
            "spec",
            "Spec",
            Cell::text(schedule.stored.as_ref().map_or(&entry.spec, |stored| &stored.spec)),
        )
        .field("when", "When", in_words(&entry.spec).map_or_else(Cell::none, |words| Cell::text(&words)))
        .field("type", "Type", Cell::text(entry.task_type.as_str()))
        .field("queue", "Queue", Cell::text(entry.queue()))
        .field("options", "Options", Cell::new(human::printable(&options.join(", ")), options))
        .field("prev_at", "Last", Cell::moment(entry.prev, now));
    let record = kept(record, schedule.stored.as_ref(), now);
    let lines: Vec<String> =
        next.iter().map(|at| format!("{} ({})", human::local(*at), human::relative(*at, now))).collect();
    let next: Vec<String> = next.into_iter().map(human::rfc3339).collect();
    record
        .block(
            "next",
            "Next",
            Cell::new(if lines.is_empty() { "-".to_owned() } else { lines.join("\n") }, next),
        )
        .block("payload", "Payload", Cell::bytes(&entry.payload))
}

/// What only stored ones have.
fn kept(record: Record, stored: Option<&StoredSchedule>, now: Timestamp) -> Record {
    let text = |text: Option<&str>| text.map_or_else(Cell::none, Cell::text);
    let catch_up = stored.and_then(|stored| stored.catch_up).map(policy_text);
    let headers = stored.map(|stored| &stored.headers);
    let lines: Vec<String> = headers
        .into_iter()
        .flatten()
        .map(|(name, value)| human::printable(&format!("{name}={value}")))
        .collect();
    let lines = if lines.is_empty() { "-".to_owned() } else { lines.join(" ") };
    record
        .field("time_zone", "Time zone", text(stored.map(|stored| stored.time_zone.as_str())))
        .field("catch_up", "Missed ticks", text(catch_up.as_deref()))
        .field("headers", "Headers", Cell::new(lines, json!(headers)))
        .field("sealed", "Payload is", text(stored.and_then(StoredSchedule::layers)))
        .field(
            "paused_since",
            "Paused since",
            Cell::moment(stored.and_then(StoredSchedule::paused_since), now),
        )
        .field("created_at", "Created", Cell::moment(stored.map(StoredSchedule::created_at), now))
        .field("changed_at", "Changed", Cell::moment(stored.map(StoredSchedule::changed_at), now))
        .field("revision", "Revision", text(stored.map(|stored| stored.revision().as_str())))
}

/// What becomes of ticks that were missed, as it is given: `none`, `last`, or how many.
pub(super) fn policy_text(policy: CatchUp) -> String {
    match policy {
        CatchUp::None => "none".to_owned(),
        CatchUp::Last => "last".to_owned(),
        CatchUp::All(limit) => limit.to_string(),
    }
}
