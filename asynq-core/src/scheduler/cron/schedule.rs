//! [`Schedule`]: a specification in a time zone, and the instants at which it fires.

use asynq_cron::{Fields, Spec, When};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::clock::{floor_seconds, from_unix_seconds};

/// How many calendar years after the current one are searched for the next instant, as in Go.
const YEARS_AHEAD: i16 = 5;

/// A schedule that cannot be kept; nothing was registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid schedule `{spec}`{of}: {reason}")]
pub struct InvalidSchedule {
    /// The specification.
    pub spec: String,
    /// Whose it is, for the text: empty, or ` of job …`.
    pub(crate) of: String,
    /// What is wrong and what is allowed.
    pub reason: String,
}

impl InvalidSchedule {
    pub(crate) fn new(spec: &str, reason: &impl ToString) -> Self {
        Self { spec: spec.to_owned(), of: String::new(), reason: reason.to_string() }
    }
}

/// A specification in a time zone: the instants at which it fires.
///
/// A wall time that a change of the clocks leaves out is left out; one that it repeats fires twice.
///
/// # Examples
///
/// ```
/// use asynq_core::scheduler::Schedule;
/// use jiff::Timestamp;
///
/// let noon = Schedule::parse("0 12 * * mon-fri", "Europe/Rome").unwrap();
/// let friday: Timestamp = "2026-03-27T12:00:00Z".parse().unwrap();
/// // The clocks went forward meanwhile.
/// assert_eq!(noon.next(friday).unwrap().to_string(), "2026-03-30T10:00:00Z");
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    when: When,
    zone: TimeZone,
}

impl Schedule {
    /// Reads a specification: five fields (`0 9 * * mon-fri`), or a descriptor (`@daily`, `@every 10m`), as Go's
    /// robfig/cron v3 reads them. It is in the time zone of that name unless it begins with one of its own
    /// (`TZ=Asia/Tokyo 30 4 * * *`).
    ///
    /// # Errors
    ///
    /// [`InvalidSchedule`] says which part is wrong, what was found, and what is allowed.
    pub fn parse(spec: &str, default_zone: &str) -> Result<Self, InvalidSchedule> {
        let Spec { zone, when } = Spec::parse(spec).map_err(|reason| InvalidSchedule::new(spec, &reason))?;
        // Compat: Go's name for the zone of the scheduler.
        let zone = zone.filter(|name| name != "Local");
        let zone = time_zone(zone.as_deref().unwrap_or(default_zone))
            .map_err(|reason| InvalidSchedule::new(spec, &reason))?;
        Ok(Self { when, zone })
    }

    /// The first whole second after an instant at which it fires; nothing when there is none in the next five years.
    ///
    /// `@every` counts from the instant, as in Go. A [`Scheduler`](crate::scheduler::Scheduler) lets it fire at multiples of its
    /// length since 1970 instead: so all schedulers agree, and a restart changes nothing.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = floor_seconds(after);
        let second = match &self.when {
            When::Every(delay) => after.checked_add_unsigned(*delay)?,
            When::Fields(fields) => self.next_in_calendar(fields, after)?,
        };
        Timestamp::from_second(second).ok()
    }

    /// The instants after this one at which a [`Scheduler`](crate::scheduler::Scheduler) lets it fire, as far as the next
    /// five years go.
    pub fn ticks(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let first = self.next_tick(floor_seconds(after));
        std::iter::successors(first, |tick| self.next_tick(*tick)).map(from_unix_seconds)
    }

    /// The first tick after a Unix second: the same for every scheduler that asks.
    pub(crate) fn next_tick(&self, after: i64) -> Option<i64> {
        match &self.when {
            When::Every(delay) => {
                let delay = i64::try_from(*delay).ok()?;
                let tick = after.div_euclid(delay).checked_add(1)?.checked_mul(delay)?;
                Timestamp::from_second(tick).is_ok().then_some(tick)
            }
            When::Fields(fields) => self.next_in_calendar(fields, after),
        }
    }

    /// Between two changes of its clocks a time zone is a plain calendar: each such stretch is searched in turn.
    fn next_in_calendar(&self, fields: &Fields, after: i64) -> Option<i64> {
        let mut at = Timestamp::from_second(after.checked_add(1)?).ok()?;
        let last_year = self.zone.to_datetime(at).year().saturating_add(YEARS_AHEAD);
        loop {
            let offset = self.zone.to_offset(at);
            let change = self.zone.following(at).next().map(|change| change.timestamp());
            let found = next_minute(fields, offset.to_datetime(at), last_year)?;
            let instant = offset.to_timestamp(found).ok()?;
            match change {
                Some(change) if instant >= change => at = change,
                _ => return Some(instant.as_second()),
            }
        }
    }
}

/// When a specification fires, in plain words: `At 09:00, Monday to Friday, …`; nothing where it is none.
pub fn in_words(spec: &str) -> Option<String> {
    Spec::parse(spec).ok().map(|spec| spec.in_words())
}

/// The first whole minute not before `from` that the fields take, up to the end of `last_year`.
fn next_minute(fields: &Fields, from: DateTime, last_year: i16) -> Option<DateTime> {
    let is_whole = from.second() == 0 && from.subsec_nanosecond() == 0;
    let from = if is_whole { from } else { from.checked_add(Span::new().minutes(1)).ok()? };
    let (mut date, mut hour, mut minute) = (from.date(), number(from.hour()), number(from.minute()));
    while date.year() <= last_year {
        if takes(fields, date)
            && let Some((hour, minute)) = next_time(fields, hour, minute)
        {
            return Some(date.at(hour.cast_signed(), minute.cast_signed(), 0, 0));
        }
        let in_month = fields.month.takes(number(date.month()));
        date = if in_month { date } else { date.last_of_month() }.tomorrow().ok()?;
        (hour, minute) = (0, 0);
    }
    None
}

fn takes(fields: &Fields, date: Date) -> bool {
    let weekday = date.weekday().to_sunday_zero_offset();
    fields.takes_day(number(date.month()), number(date.day()), number(weekday))
}

/// The first time of a day, not before this one, that the fields take.
fn next_time(fields: &Fields, hour: u8, minute: u8) -> Option<(u8, u8)> {
    if fields.hour.takes(hour)
        && let Some(minute) = fields.minute.at_least(minute)
    {
        return Some((hour, minute));
    }
    Some((fields.hour.at_least(hour + 1)?, fields.minute.at_least(0)?))
}

/// A part of a calendar date or time, none of which is negative.
fn number(part: i8) -> u8 {
    part.unsigned_abs()
}

/// The time zone of this name, which is exact; empty is UTC.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "" | "UTC") {
        return Ok(TimeZone::UTC);
    }
    let Ok(zone) = TimeZone::get(name) else {
        return Err(format!(
            "time zone `{name}` is not in this machine's time zone database (usually /usr/share/zoneinfo); zones have \
             names such as `Europe/Rome` or `UTC`"
        ));
    };
    match zone.iana_name() {
        // Compat: Go finds zones by the exact name of their files.
        Some(right) if right != name => Err(format!("time zone `{name}` is written `{right}`")),
        _ => Ok(zone),
    }
}
