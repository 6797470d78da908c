//! The nightly report.

use asynq::{BoxError, Ctx, State, job};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::mailer::Mailer;
use crate::users::Users;

/// Where days begin and end.
const ZONE: &str = "Europe/Rome";

/// Mails the operator who signed up on a day: the one before the night in which it runs, unless another is named. Gives
/// how many they are.
///
/// What it reports on depends on the time it was scheduled for, and not on when it is run or tried again.
///
/// # Errors
///
/// When the users cannot be read, or the mail is not sent.
#[job(
    name = "report:nightly",
    queue = "reports",
    cron = "0 3 * * *",
    timezone = "Europe/Rome",
    retry = 5,
    backoff = fixed("5m"),
    timeout = "10m",
    retention = "7d"
)]
pub async fn nightly_report(
    day: Option<Date>,
    State(users): State<Users>,
    State(mailer): State<Mailer>,
    ctx: &Ctx,
) -> Result<usize, BoxError> {
    let zone = TimeZone::get(ZONE)?;
    let day = match day {
        Some(day) => day,
        None => {
            ctx.scheduled_for().unwrap_or_else(Timestamp::now).to_zoned(zone.clone()).date().yesterday()?
        }
    };
    // A day has 23 or 25 hours where clocks are changed.
    let (begin, end) = (day.to_zoned(zone.clone())?, day.tomorrow()?.to_zoned(zone)?);
    let new = users.since(begin.timestamp()..end.timestamp()).await?;
    let lines: Vec<_> = new.iter().map(|user| format!("{} <{}>", user.name, user.email)).collect();
    let text = format!("Signed up on {day}: {}\n{}\n", new.len(), lines.join("\n"));
    mailer.send(&mailer.operator, &format!("Report of {day}"), text).await?;
    Ok(new.len())
}
