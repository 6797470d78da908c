//! [`GoTime`]: an instant as `date` prints it, which is how options carry times.

use std::fmt;

use jiff::Timestamp;

use crate::clock::floor_seconds;

/// An instant and the time zone in which it is written, in whole seconds: `Mon Jan _2 15:04:05 MST 2006` in Go's
/// notation. Years before 1 and after 9999 are as good as others.
///
/// A zone is written as its abbreviation, from which no reader can tell the offset. So write UTC; what was written
/// in another zone is read as if its offset were zero, as Go reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GoTime {
    unix_seconds: i64,
    offset_seconds: i32,
    zone: String,
}

const DAY: i64 = 24 * 3600;
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl GoTime {
    /// An instant, to be written in UTC.
    pub fn utc(unix_seconds: i64) -> Self {
        Self::in_zone(unix_seconds, 0, "UTC")
    }

    /// An instant, to be written in a zone that is this many seconds east of UTC at that time.
    pub fn in_zone(unix_seconds: i64, offset_seconds: i32, abbreviation: &str) -> Self {
        Self { unix_seconds, offset_seconds, zone: abbreviation.to_owned() }
    }

    /// Seconds since the Unix epoch.
    pub fn unix_seconds(&self) -> i64 {
        self.unix_seconds
    }

    /// The instant, or nothing when it lies outside the years −9999 to 9999.
    pub fn instant(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.unix_seconds).ok()
    }

    /// Reads any year and any zone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Scanner(text).unix_date(
            |rest| {
                let end = rest.find(' ')?;
                rest.split_at_checked(end).filter(|(zone, _)| !zone.is_empty())
            },
            |rest| {
                let digits = rest.strip_prefix('-').unwrap_or(rest);
                let plain = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
                if plain { rest.parse().ok() } else { None }
            },
        )
    }

    /// Reads what Go's `time.Parse` reads: years of four digits, and what it takes for an abbreviation.
    pub(super) fn parse_as_go(text: &str) -> Option<Self> {
        Scanner(text).unix_date(
            |rest| rest.split_at_checked(abbreviation_length(rest)?),
            |rest| {
                let plain = rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit());
                if plain { rest.parse().ok() } else { None }
            },
        )
    }
}

impl From<Timestamp> for GoTime {
    /// The fraction of the second is cut.
    fn from(at: Timestamp) -> Self {
        Self::utc(floor_seconds(at))
    }
}

impl fmt::Display for GoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.unix_seconds.saturating_add(i64::from(self.offset_seconds));
        let (days, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        let weekday = name(&WEEKDAYS, (days + 4).rem_euclid(7));
        let month = name(&MONTHS, month - 1);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{weekday} {month} {day:>2} {hour:02}:{minute:02}:{second:02} ")?;
        if self.zone.is_empty() {
            let minutes = self.offset_seconds.unsigned_abs() / 60;
            let sign = if self.offset_seconds < 0 { '-' } else { '+' };
            write!(f, "{sign}{:02}{:02}", minutes / 60, minutes % 60)?;
        } else {
            f.write_str(&self.zone)?;
        }
        let sign = if year < 0 { "-" } else { "" };
        write!(f, " {sign}{:04}", year.unsigned_abs())
    }
}

/// What is left to read.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    /// `Mon Jan _2 15:04:05 MST 2006`. Each part is followed by any number of spaces; the weekday need not be right.
    fn unix_date(
        mut self,
        zone: impl FnOnce(&'a str) -> Option<(&'a str, &'a str)>,
        year: impl FnOnce(&str) -> Option<i64>,
    ) -> Option<GoTime> {
        self.index_of(&WEEKDAYS)?;
        self.spaces()?;
        let month = self.index_of(&MONTHS)? + 1;
        self.spaces()?;
        let day = self.number(1)?;
        self.spaces()?;
        let hour = self.number(1).filter(|&hour| hour < 24)?;
        self.literal(':')?;
        let minute = self.number(2).filter(|&minute| minute < 60)?;
        self.literal(':')?;
        let second = self.number(2).filter(|&second| second < 60)?;
        self.fraction();
        self.spaces()?;
        let (zone, rest) = zone(self.0)?;
        self.0 = rest;
        self.spaces()?;
        let year = year(self.0)?;
        if day < 1 || day > days_in(year, month) {
            return None;
        }
        let seconds_of_day = hour * 3600 + minute * 60 + second;
        let seconds =
            i128::from(days_from_civil(year, month, day)?) * i128::from(DAY) + i128::from(seconds_of_day);
        let seconds = i64::try_from(seconds).ok()?;
        // Go knows the offset of these, shows the time with it, and yet takes what it read for UTC.
        let offset = zone.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok()).unwrap_or(0);
        Some(GoTime::in_zone(seconds, offset.checked_mul(3600)?, zone))
    }

    fn index_of(&mut self, names: &[&str]) -> Option<i64> {
        let (head, rest) = self.0.split_at_checked(3)?;
        let index = names.iter().position(|name| name.eq_ignore_ascii_case(head))?;
        self.0 = rest;
        i64::try_from(index).ok()
    }

    fn spaces(&mut self) -> Option<()> {
        let rest = self.0.trim_start_matches(' ');
        let found = rest.len() < self.0.len();
        self.0 = rest;
        found.then_some(())
    }

    fn literal(&mut self, literal: char) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// A number of two digits, or of one where that is enough.
    fn number(&mut self, at_least: usize) -> Option<i64> {
        let digits = self.0.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        if digits < at_least { None } else { number.parse().ok() }
    }

    /// A fraction of the second, which the layout does not have, is read over.
    fn fraction(&mut self) {
        if let Some(rest) = self.0.strip_prefix(['.', ',']) {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if after.len() < rest.len() {
                self.0 = after;
            }
        }
    }
}

/// How much of the text Go takes for the abbreviation of a zone.
fn abbreviation_length(text: &str) -> Option<usize> {
    if text.starts_with("UTC") {
        return Some(3);
    }
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(offset) = text.strip_prefix("GMT") {
        return Some(3 + hour_offset_length(offset));
    }
    if text.starts_with(['+', '-']) {
        return Some(hour_offset_length(text)).filter(|&length| length > 0);
    }
    let capitals = text.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
    let ends_in_t = text.as_bytes().get(capitals.checked_sub(1)?) == Some(&b'T');
    match capitals {
        3 => Some(3),
        4 if ends_in_t || text.starts_with("WITA") => Some(4),
        5 if ends_in_t => Some(5),
        _ => None,
    }
}

/// The length of a signed number of hours up to 23; 0 when there is none.
fn hour_offset_length(text: &str) -> usize {
    let Some(digits) = text.strip_prefix(['+', '-']) else { return 0 };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let hours = digits.get(..length).and_then(|digits| digits.parse::<u64>().ok());
    if hours.is_some_and(|hours| hours <= 23) { 1 + length } else { 0 }
}

fn name<'a>(names: &[&'a str], index: i64) -> &'a str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("???")
}

/// Year, month and day of a number of days since the Unix epoch. The year is counted from March here, so that the
/// leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let since = days + 719_468;
    let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * month + 2) / 5 + day - 1 + 365 * year + year / 4 - year / 100;
    era.checked_mul(146_097)?.checked_add(day - 719_468)
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_gos_and_reads_back() {
        for (seconds, text) in [
            (0, "Thu Jan  1 00:00:00 UTC 1970"),
            (1_709_164_799, "Wed Feb 28 23:59:59 UTC 2024"),
            (1_709_164_800, "Thu Feb 29 00:00:00 UTC 2024"),
            (951_868_800, "Wed Mar  1 00:00:00 UTC 2000"),
            (-62_135_596_800, "Mon Jan  1 00:00:00 UTC 0001"),
            (253_402_300_800, "Sat Jan  1 00:00:00 UTC 10000"),
            (-62_198_755_200, "Fri Jan  1 00:00:00 UTC -0001"),
        ] {
            assert_eq!(GoTime::utc(seconds).to_string(), text);
            assert_eq!(GoTime::parse(text), Some(GoTime::utc(seconds)));
        }
        for seconds in [i64::MIN, i64::MAX, i64::MIN + DAY, i64::MAX - DAY] {
            assert_eq!(
                GoTime::parse(&GoTime::utc(seconds).to_string()).map(|t| t.unix_seconds()),
                Some(seconds)
            );
        }
        assert_eq!(GoTime::in_zone(0, -9_000, "").to_string(), "Wed Dec 31 21:30:00 -0230 1969");
    }

    #[test]
    fn reads_zones_as_go_does() {
        for (text, seconds, again) in [
            ("thu JAN 01 0:00:00.5 EST 1970", 0, "Thu Jan  1 00:00:00 EST 1970"),
            ("Sat  Jan   1 00:00:00  WITA   1970", 0, "Thu Jan  1 00:00:00 WITA 1970"),
            ("Thu Jan  1 00:00:00 GMT-3 1970", 0, "Wed Dec 31 21:00:00 GMT-3 1969"),
            ("Thu Jan  1 00:00:00 +05 1970", 0, "Thu Jan  1 00:00:00 +05 1970"),
        ] {
            let time = GoTime::parse_as_go(text).unwrap();
            assert_eq!((time.unix_seconds(), time.to_string().as_str()), (seconds, again));
        }
        for text in [
            "",
            "Thu",
            "Thu Jan  1 00:00:00 UTC 10000",
            "Thu Jan  1 00:00:00 UTC 197",
            "Thu Jan  1 00:00:00 UTC+3 1970",
            "Thu Jan  1 00:00:00 +0545 1970",
            "Thu Jan  1 00:00:00 ABCD 1970",
            "Thu Jan  1 00:00:00 ab 1970",
            "Thu Jan  1 24:00:00 UTC 1970",
            "Thu Feb 30 00:00:00 UTC 1970",
            "Thu Jan 1 0:0:00 UTC 1970",
            "Thu Jan  1 00:00:00 UTC 1970 ",
        ] {
            assert_eq!(GoTime::parse_as_go(text), None, "{text}");
        }
    }
}
