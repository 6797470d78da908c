//! [`read`]: `@daily` and the like.

use crate::field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MONTH};
use crate::{Field, Fields, InvalidSpec, When, duration};

/// The calendar descriptors. Compat: lower case only.
const KNOWN: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// What stands before the duration of a fixed delay: one space.
const EVERY: &str = "@every ";

const SECOND: i64 = 1_000_000_000;

/// Reads a descriptor, which begins with `@`.
pub(crate) fn read(text: &str) -> Result<When, InvalidSpec> {
    if let Some(length) = text.strip_prefix(EVERY) {
        return every(length).map(When::Every);
    }
    let zero = Field::only(0);
    let one = Field::only(1);
    let hourly = Fields {
        minute: zero,
        hour: HOUR.all(),
        day_of_month: DAY_OF_MONTH.all(),
        month: MONTH.all(),
        day_of_week: DAY_OF_WEEK.all(),
    };
    let daily = Fields { hour: zero, ..hourly };
    Ok(When::Fields(match text {
        "@yearly" | "@annually" => Fields { day_of_month: one, month: one, ..daily },
        "@monthly" => Fields { day_of_month: one, ..daily },
        "@weekly" => Fields { day_of_week: zero, ..daily },
        "@daily" | "@midnight" => daily,
        "@hourly" => hourly,
        _ => return Err(unknown(text)),
    }))
}

/// Whole seconds, 1 or more. Compat: what is shorter, or negative, is one second; a fraction is cut.
fn every(length: &str) -> Result<u64, InvalidSpec> {
    let nanos = duration::nanos(length).ok_or_else(|| {
        InvalidSpec::new(format!(
            "`{EVERY}{length}`: `{length}` is not a duration; write one space and a duration in hours, minutes and \
             seconds, such as `@every 1h30m` (a day is `24h`)"
        ))
    })?;
    Ok((nanos / SECOND).max(1).unsigned_abs())
}

fn unknown(text: &str) -> InvalidSpec {
    let lower = text.to_ascii_lowercase();
    let hint = if let Some(meant) = KNOWN.iter().find(|known| **known == lower) {
        format!("; did you mean `{meant}`?")
    } else if lower.starts_with("@every") {
        "; write it as `@every 10m`, with one space".to_owned()
    } else if lower == "@reboot" {
        "; to do something at start, enqueue a task at start".to_owned()
    } else {
        String::new()
    };
    InvalidSpec::new(format!("unknown descriptor `{text}`{hint} (known: {}, @every 10m)", KNOWN.join(", ")))
}
