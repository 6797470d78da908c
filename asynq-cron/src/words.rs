//! A specification in plain English.

use crate::{Field, Fields, Spec, When};

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// As many times of day are listed one by one.
const LISTED: usize = 6;

impl Spec {
    /// When it fires, in plain English.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_cron::Spec;
    ///
    /// let words = |spec| Spec::parse(spec).unwrap().in_words();
    /// assert_eq!(words("30 4 * * mon-fri"), "at 04:30, Monday to Friday");
    /// assert_eq!(words("TZ=Asia/Tokyo */15 * * * *"), "every 15 minutes, time of Asia/Tokyo");
    /// assert_eq!(words("@every 1h30m"), "every 1 hour 30 minutes");
    /// ```
    pub fn in_words(&self) -> String {
        let mut words = match &self.when {
            When::Every(seconds) => every(*seconds),
            When::Fields(fields) => calendar(fields),
        };
        if let (Some(zone), When::Fields(_)) =
            (self.zone.as_deref().filter(|zone| !zone.is_empty()), &self.when)
        {
            words = format!("{words}, time of {zone}");
        }
        words
    }
}

fn every(seconds: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (mut left, mut parts) = (seconds, Vec::new());
    for (length, unit) in units {
        let number = left / length;
        left %= length;
        if number > 0 {
            parts.push(format!("{number} {unit}{}", if number == 1 { "" } else { "s" }));
        }
    }
    match parts.as_slice() {
        [one] => format!("every {}", one.strip_prefix("1 ").unwrap_or(one)),
        _ => format!("every {}", parts.join(" ")),
    }
}

fn calendar(fields: &Fields) -> String {
    let mut parts = vec![time_of_day(fields.minute, fields.hour)];
    let months = taken(fields.month, 1..=12);
    parts.extend(days(fields));
    if months.len() < 12 {
        parts.push(format!("in {}", listed(&months, |month| name(&MONTHS, month, 1))));
    }
    if [fields.minute, fields.hour, fields.day_of_month, fields.month, fields.day_of_week]
        .iter()
        .any(|field| taken(*field, 0..=63).is_empty())
    {
        return "never".to_owned();
    }
    parts.join(", ")
}

fn time_of_day(minute: Field, hour: Field) -> String {
    let (minutes, hours) = (taken(minute, 0..=59), taken(hour, 0..=23));
    if minutes.len() * hours.len() <= LISTED && hours.len() < 24 {
        let times: Vec<String> = hours
            .iter()
            .flat_map(|hour| minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}")))
            .collect();
        return format!("at {}", joined(&times));
    }
    let past = match (minutes.as_slice(), step(&minutes, 60)) {
        ([0], _) => String::new(),
        (_, Some(1)) => "every minute".to_owned(),
        (_, Some(step)) => format!("every {step} minutes"),
        _ => {
            let noun = if minutes.len() == 1 { "minute" } else { "minutes" };
            format!("at {noun} {}", listed(&minutes, |minute| minute.to_string()))
        }
    };
    let clock = |hour: u8| format!("{hour:02}:00");
    let of = match step(&hours, 24) {
        Some(1) if past.starts_with("every") => return past,
        Some(1) => "every hour".to_owned(),
        Some(step) => format!("every {step} hours"),
        None if past.starts_with("every") => {
            format!("in the hours {}", listed(&hours, |hour| format!("{hour:02}")))
        }
        None => format!("at {}", listed(&hours, clock)),
    };
    match past.as_str() {
        "" => of,
        past if past.starts_with("every") => format!("{past} {of}"),
        past => format!(
            "{past} of {}",
            of.strip_prefix("at ").map_or(of.clone(), |hours| format!("the hours {hours}"))
        ),
    }
}

/// On which days, if not on all.
fn days(fields: &Fields) -> Option<String> {
    let (by_month, by_week) = (taken(fields.day_of_month, 1..=31), taken(fields.day_of_week, 0..=6));
    let noun = if by_month.len() == 1 { "day" } else { "days" };
    let month = format!("on {noun} {} of the month", listed(&by_month, |day| day.to_string()));
    let week = listed(&by_week, |day| name(&WEEKDAYS, day, 0));
    // Where neither is a star, one of them is enough.
    let is_either = !fields.day_of_month.is_star() && !fields.day_of_week.is_star();
    match (by_month.len() < 31, by_week.len() < 7) {
        (true, true) if is_either => Some(format!("{month} and every {week}")),
        (true, true) => Some(format!("{month} if it is {week}")),
        (false, false) => None,
        _ if is_either => None,
        (true, false) => Some(month),
        (false, true) => Some(week),
    }
}

fn taken(field: Field, range: std::ops::RangeInclusive<u8>) -> Vec<u8> {
    range.filter(|number| field.takes(*number)).collect()
}

/// The step with which the numbers go from 0 to the end, evenly, if they do.
fn step(numbers: &[u8], end: u8) -> Option<u8> {
    let [0, second, ..] = numbers else { return None };
    let is_even = end.is_multiple_of(*second) && numbers.len() == usize::from(end / second);
    let steps = numbers.iter().zip((0..end).step_by(usize::from(*second)));
    (is_even && steps.into_iter().all(|(number, expected)| *number == expected)).then_some(*second)
}

/// Numbers as a list, in which three in a row or more are a range.
fn listed(numbers: &[u8], name: impl Fn(u8) -> String) -> String {
    let mut parts = Vec::new();
    for run in numbers.chunk_by(|a, b| *b == a + 1) {
        match run {
            [first, _, .., last] => parts.push(format!("{} to {}", name(*first), name(*last))),
            few => parts.extend(few.iter().map(|number| name(*number))),
        }
    }
    joined(&parts)
}

fn joined(parts: &[String]) -> String {
    match parts {
        [] => "never".to_owned(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn name(names: &[&str], number: u8, first: u8) -> String {
    let index = usize::from(number.saturating_sub(first));
    names.get(index).map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_would_say_it() {
        for (spec, words) in [
            ("* * * * *", "every minute"),
            ("*/5 * * * *", "every 5 minutes"),
            ("0 * * * *", "every hour"),
            ("@hourly", "every hour"),
            ("5 * * * *", "at minute 5 of every hour"),
            ("5,35 * * * *", "at minutes 5 and 35 of every hour"),
            ("0 */6 * * *", "at 00:00, 06:00, 12:00 and 18:00"),
            ("0 */2 * * *", "every 2 hours"),
            ("@daily", "at 00:00"),
            ("30 4 * * *", "at 04:30"),
            ("0 9,17 * * mon-fri", "at 09:00 and 17:00, Monday to Friday"),
            ("0 9 * * sat,sun", "at 09:00, Sunday and Saturday"),
            ("*/10 9-17 * * 1-5", "every 10 minutes in the hours 09 to 17, Monday to Friday"),
            ("0 8-18 * * *", "at 08:00 to 18:00"),
            ("15 8-18 * * *", "at minute 15 of the hours 08:00 to 18:00"),
            ("@weekly", "at 00:00, Sunday"),
            ("@monthly", "at 00:00, on day 1 of the month"),
            ("@yearly", "at 00:00, on day 1 of the month, in January"),
            ("0 0 13 * fri", "at 00:00, on day 13 of the month and every Friday"),
            (
                "0 0 1-3,15 jan,mar-jun *",
                "at 00:00, on days 1 to 3 and 15 of the month, in January and March to June",
            ),
            ("0 0 */1 * fri", "at 00:00, Friday"),
            ("0 0 1-31 * fri", "at 00:00"),
            (", * * * *", "never"),
            ("CRON_TZ=Europe/Rome 0 9 * * *", "at 09:00, time of Europe/Rome"),
            ("@every 1s", "every second"),
            ("@every 24h", "every day"),
            ("@every 90s", "every 1 minute 30 seconds"),
        ] {
            assert_eq!(Spec::parse(spec).unwrap().in_words(), words, "{spec}");
        }
    }

    #[test]
    fn every_specification_has_words() {
        let parts = ["*", "0", "7", "*/7", "1-5", "2,4", ",", "59/2", "1-3/2"];
        for _ in 0..20_000 {
            let next = || parts.get(usize::from(random(9))).copied().unwrap_or("*");
            let spec = format!("{} {} {} {} {}", next(), next(), next(), next(), next());
            if let Ok(spec) = Spec::parse(&spec) {
                assert!(!spec.in_words().is_empty());
            }
        }
    }

    /// Xorshift: this crate depends on nothing.
    fn random(below: u8) -> u8 {
        use std::cell::Cell;
        thread_local!(static STATE: Cell<u32> = const { Cell::new(2_463_534_242) });
        STATE.with(|state| {
            let mut x = state.get();
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            state.set(x);
            u8::try_from(x % u32::from(below)).unwrap()
        })
    }
}
