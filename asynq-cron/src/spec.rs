//! [`Spec`]: a specification, parsed.

use crate::field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH};
use crate::{Field, InvalidSpec, descriptor};

/// A specification, parsed: five fields, or a descriptor such as `@daily` or `@every 10m`, perhaps with a time zone
/// before it (`CRON_TZ=Asia/Tokyo 30 4 * * *`).
///
/// # Examples
///
/// ```
/// use asynq_cron::{Spec, When};
///
/// let spec = Spec::parse("TZ=Asia/Tokyo 30 4 * * mon-fri").unwrap();
/// assert_eq!(spec.zone.as_deref(), Some("Asia/Tokyo"));
///
/// assert_eq!(Spec::parse("@every 1h30m").unwrap().when, When::Every(5_400));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The name of the time zone, if the specification has one; empty for UTC. Whether there is such a zone is not
    /// checked here.
    pub zone: Option<String>,
    /// When it fires.
    pub when: When,
}

/// When a specification fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At the minutes of a calendar that these fields take.
    Fields(Fields),
    /// At a fixed delay, in whole seconds, 1 or more.
    Every(u64),
}

/// The five fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// 0 to 59.
    pub minute: Field,
    /// 0 to 23.
    pub hour: Field,
    /// 1 to 31.
    pub day_of_month: Field,
    /// 1 to 12.
    pub month: Field,
    /// 0, Sunday, to 6.
    pub day_of_week: Field,
}

impl Spec {
    /// Reads a specification.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] says which part is wrong, what was found, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidSpec> {
        let zoned = ["TZ=", "CRON_TZ="].iter().find_map(|prefix| text.strip_prefix(prefix));
        let Some(rest) = zoned else { return Ok(Self { zone: None, when: when(text)? }) };
        // Compat: Go panics where no space follows.
        let Some((zone, rest)) = rest.split_once(' ') else {
            return Err(InvalidSpec::new(format!(
                "`{text}`: nothing follows the time zone; write a space and a schedule, such as \
                 `TZ=Asia/Tokyo 0 9 * * *`"
            )));
        };
        Ok(Self { zone: Some(zone.to_owned()), when: when(rest.trim())? })
    }
}

impl Fields {
    /// Whether a day is taken; `weekday` is 0 for Sunday.
    ///
    /// When one of the two fields for days is a star, both must take the day; otherwise one of them is enough.
    pub fn takes_day(&self, month: u8, day: u8, weekday: u8) -> bool {
        let (by_month, by_week) = (self.day_of_month.takes(day), self.day_of_week.takes(weekday));
        let star = self.day_of_month.is_star() || self.day_of_week.is_star();
        self.month.takes(month) && if star { by_month && by_week } else { by_month || by_week }
    }
}

fn when(text: &str) -> Result<When, InvalidSpec> {
    if text.starts_with('@') {
        return descriptor::read(text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day_of_month, month, day_of_week] = fields[..] else {
        return Err(wrong_number(text, fields.len()));
    };
    Ok(When::Fields(Fields {
        minute: MINUTE.read(minute)?,
        hour: HOUR.read(hour)?,
        day_of_month: DAY_OF_MONTH.read(day_of_month)?,
        month: MONTH.read(month)?,
        day_of_week: DAY_OF_WEEK.read(day_of_week)?,
    }))
}

fn wrong_number(text: &str, found: usize) -> InvalidSpec {
    const SHAPE: &str =
        "five fields (minute, hour, day of month, month, day of week), such as `0 9 * * mon-fri`";
    if found == 0 {
        return InvalidSpec::new(format!("is blank; write {SHAPE}, or `@daily`, or `@every 10m`"));
    }
    let hint = if text.trim_start().starts_with('@') {
        "; a descriptor has no space before it"
    } else if found == 6 {
        "; there is no field for seconds or years"
    } else {
        ""
    };
    InvalidSpec::new(format!(
        "`{text}` has {found} {}; write {SHAPE}{hint}",
        if found == 1 { "field" } else { "fields" }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        match Spec::parse(text).unwrap().when {
            When::Fields(fields) => fields,
            When::Every(_) => panic!("{text} is no calendar"),
        }
    }

    fn numbers(field: Field) -> Vec<u8> {
        (0..64).filter(|number| field.takes(*number)).collect()
    }

    #[test]
    fn items_add_up() {
        for (minute, taken) in [
            ("7", vec![7]),
            ("1-4", vec![1, 2, 3, 4]),
            ("1,,4", vec![1, 4]),
            ("50/4", vec![50, 54, 58]),
            ("10-20/5,59", vec![10, 15, 20, 59]),
            ("*/100", vec![0]),
            ("?/20", vec![0, 20, 40]),
            ("+5", vec![5]),
            ("05", vec![5]),
            ("5/+30", vec![5, 35]),
            ("*-5-9", (0..60).collect()),
            ("*/9223372036854775807", vec![0]),
            (",", vec![]),
        ] {
            assert_eq!(numbers(fields(&format!("{minute} * * * *")).minute), taken, "{minute}");
        }
        assert_eq!(numbers(fields("* * * fEb-APR *").month), [2, 3, 4]);
        assert_eq!(numbers(fields("* * * * Sat").day_of_week), [6]);
        assert_eq!(fields("* * * * *").minute.at_least(59), Some(59));
        assert_eq!(fields("5 * * * *").minute.at_least(6), None);
        assert_eq!(fields("5 * * * *").minute.at_least(200), None);
    }

    #[test]
    fn only_a_plain_star_counts_as_one() {
        for (day, star) in [
            ("*", true),
            ("?", true),
            ("*/1", true),
            ("3,*", true),
            ("*-4", true),
            ("*/2", false),
            ("1-31", false),
        ] {
            assert_eq!(fields(&format!("0 0 {day} * 1")).day_of_month.is_star(), star, "{day}");
        }
        assert!(fields("0 0 13 * fri").takes_day(1, 2, 5), "either");
        assert!(!fields("0 0 * * fri").takes_day(1, 2, 4), "both");
    }

    #[test]
    fn descriptors_stand_for_fields() {
        for (descriptor, same) in [
            ("@yearly", "0 0 1 1 *"),
            ("@annually", "0 0 1 1 *"),
            ("@monthly", "0 0 1 * *"),
            ("@weekly", "0 0 * * 0"),
            ("@daily", "0 0 * * *"),
            ("@midnight", "0 0 * * *"),
            ("@hourly", "0 * * * *"),
        ] {
            assert_eq!(fields(descriptor), fields(same), "{descriptor}");
        }
        for (length, seconds) in
            [("10m", 600), ("1.9s", 1), ("0", 1), ("-5m", 1), ("100ms", 1), ("+1h", 3_600)]
        {
            assert_eq!(
                Spec::parse(&format!("@every {length}")).unwrap().when,
                When::Every(seconds),
                "{length}"
            );
        }
    }

    #[test]
    fn a_mistake_says_where_it_is_and_what_is_allowed() {
        for (spec, parts) in [
            ("", &["is blank", "`@every 10m`"][..]),
            ("* * * *", &["has 4 fields", "five fields"]),
            ("* * * * * *", &["has 6 fields", "no field for seconds"]),
            (" @daily", &["no space before it"]),
            ("60 * * * *", &["minute `60`", "60 is not between 0 and 59", "0-59"]),
            ("0 24 * * *", &["hour `24`", "0-23"]),
            ("0 0 0 * *", &["day of month `0`", "1-31"]),
            ("0 0 * dez *", &["month `dez`", "`dez` is neither a number nor a name", "jan-dec"]),
            ("0 0 * * 7", &["day of week `7`", "Sunday is 0"]),
            ("-1 * * * *", &["minute `-1`", "a number is missing"]),
            ("5-1 * * * *", &["5 is after 1"]),
            ("1-2-3 * * * *", &["more than one `-`"]),
            ("*/5/2 * * * *", &["more than one `/`"]),
            ("*/0 * * * *", &["step of 0"]),
            ("*/-1 * * * *", &["`-1` is not a number"]),
            ("99999999999999999999 * * * *", &["is not a number"]),
            ("@Daily", &["did you mean `@daily`?"]),
            ("@daily ", &["unknown descriptor"]),
            ("@reboot", &["enqueue a task at start"]),
            ("@every5m", &["with one space"]),
            ("@every  5m", &["` 5m` is not a duration"]),
            ("@every 1d", &["a day is `24h`"]),
            ("CRON_TZ=UTC", &["nothing follows the time zone"]),
            ("TZ=UTC ", &["is blank"]),
            ("cron_tz=UTC 0 0 * * *", &["has 6 fields"]),
        ] {
            let error = Spec::parse(spec).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{spec}: {error}");
            }
        }
    }

    #[test]
    fn b25_nothing_makes_the_parser_panic() {
        let parts = [
            "TZ=",
            "CRON_TZ=",
            " ",
            "*",
            "?",
            "/",
            "-",
            ",",
            "+",
            "0",
            "59",
            "99999999999999999999",
            "mon",
            "@",
            "@every",
            "é",
        ];
        // Every text of up to four parts.
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts =
                texts.iter().flat_map(|text| parts.iter().map(move |part| format!("{text}{part}"))).collect();
            for text in &texts {
                drop(Spec::parse(text));
                drop(Spec::parse(&format!("{text} * * * *")));
            }
        }
    }
}
