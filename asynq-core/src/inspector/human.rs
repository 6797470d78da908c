//! Times, lengths of time, sizes and payloads, as people write and read them: the same in every face.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{Span, SpanRelativeTo, Timestamp, Zoned};

use super::JsonText;

/// A length of time: `90s`, `1h30m`, `2 days`, as Go writes it too.
///
/// # Errors
///
/// A text that says how to write it.
pub fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .and_then(|length| Duration::try_from(length).ok())
        .ok_or_else(|| format!("`{text}` is no length of time; write it as in 30s, 15m, 2h, 1h30m or 3d"))
}

/// A moment: RFC 3339, a date with or without a time (of the zone of `now`), `tomorrow 09:00`, `09:00` (the next one), or a
/// length of time from now, such as `15m`.
///
/// # Errors
///
/// A text that says how to write it.
pub fn moment(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if text == "now" {
        return Ok(now.timestamp());
    }
    if let Ok(local) = text.parse::<DateTime>()
        && let Ok(at) = local.to_zoned(now.time_zone().clone())
    {
        return Ok(at.timestamp());
    }
    if let Some(at) = day_and_time(text, now) {
        return Ok(at);
    }
    if let Ok(length) = duration(text)
        && let Ok(at) = now.timestamp().checked_add(length)
    {
        return Ok(at);
    }
    Err(format!(
        "`{text}` is no time; write it as in 2026-12-24T09:00:00Z, \"2026-12-24 09:00\", \"tomorrow 09:00\", 09:00 or 15m"
    ))
}

/// `today`, `tomorrow` or nothing, and a time of day.
fn day_and_time(text: &str, now: &Zoned) -> Option<Timestamp> {
    let (day, time) = text.split_once(' ').unwrap_or(("", text));
    let time: jiff::civil::Time = time.parse().ok()?;
    let date = match day {
        "" | "today" => now.date(),
        "tomorrow" => now.date().tomorrow().ok()?,
        _ => return None,
    };
    let at = date.to_datetime(time).to_zoned(now.time_zone().clone()).ok()?;
    if day.is_empty() && at <= *now {
        let next = now.date().tomorrow().ok()?.to_datetime(time);
        return Some(next.to_zoned(now.time_zone().clone()).ok()?.timestamp());
    }
    Some(at.timestamp())
}

/// How far a moment is: `in 5m 3s`, `2h 10m ago`; `now` within a second.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let distance = at.duration_since(now);
    let length = length(distance.unsigned_abs());
    match distance.as_secs() {
        0 => "now".to_owned(),
        1.. => format!("in {length}"),
        _ => format!("{length} ago"),
    }
}

/// The two largest units of a length of time: `3d 4h`, `250ms`.
pub fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    let pair = |large: u64, unit: &str, small: u64, subunit: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{subunit}") }
    };
    match seconds {
        0 => format!("{}ms", length.as_millis()),
        1..60 => format!("{seconds}s"),
        60..3_600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A number of bytes: `1.5 KiB`.
pub fn size(bytes: u64) -> String {
    let mut whole = bytes;
    let mut tenths = 0;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if whole < 1_024 || unit == "TiB" {
            return if unit == "B" { format!("{whole} B") } else { format!("{whole}.{tenths} {unit}") };
        }
        tenths = whole % 1_024 * 10 / 1_024;
        whole /= 1_024;
    }
    bytes.to_string()
}

/// What share failed: per cent with two decimals; nothing where nothing was processed.
pub fn error_rate(failed: u64, processed: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a percentage, not a count")]
    let rate = (processed > 0).then(|| failed as f64 * 100.0 / processed as f64);
    rate
}

/// Bytes as one line of text, if they are text.
pub fn line(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => printable(text),
        Err(_) => format!("({} bytes that are no text)", bytes.len()),
    }
}

/// A text in which nothing moves the cursor or colors the terminal: control characters are escaped.
pub fn printable(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if c.is_control() {
            line.extend(c.escape_debug());
        } else {
            line.push(c);
        }
        line
    })
}

/// JSON laid out over lines, two blanks for each level; `None` for what is no JSON. Nothing but the space between its parts
/// changes: names keep their order, and numbers their digits.
pub fn laid_out(json: &str) -> Option<String> {
    JsonText::read(json).map(|json| json.to_string())
}

/// Bytes as lines of hexadecimal digits, sixteen in each: where it begins, the digits, and the text that is among them.
///
/// # Examples
///
/// ```
/// use asynq_core::inspector::human::hex_dump;
///
/// let lines: Vec<String> = hex_dump(b"ok\xff").collect();
/// assert_eq!(lines, ["000000  6f 6b ff                                         ok."]);
/// ```
pub fn hex_dump(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.chunks(16).enumerate().map(|(index, line)| {
        let digits = line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let letter = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
        let letters: String = line.iter().map(letter).collect();
        format!("{:06x}  {digits:47}  {letters}", index * 16)
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn json_is_laid_out_and_stays_what_it_is() {
        let json = " {\"b\":[1.50,{}, [ ]],\n\t\"a\":\"x: [\\\", \\\\\",\"n\":12345678901234567890123}";
        let text = laid_out(json).unwrap();
        assert_eq!(
            text,
            "{\n  \"b\": [\n    1.50,\n    {},\n    []\n  ],\n  \"a\": \"x: [\\\", \\\\\",\n  \"n\": 12345678901234567890123\n}"
        );
        assert_eq!(laid_out(&text).unwrap(), text);
        assert_eq!((laid_out("7").as_deref(), laid_out("{").as_deref()), (Some("7"), None));
    }

    #[test]
    fn lengths_and_moments_are_read_as_people_write_them() {
        for (text, seconds) in
            [("90s", 90), ("1h30m", 5_400), ("2 days", 172_800), ("3d", 259_200), ("0s", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "5", "-5s", "soon"] {
            assert!(duration(text).unwrap_err().contains("no length of time"), "{text}");
        }
        let now: Zoned = "2026-11-29T12:00:00+01:00[Europe/Rome]".parse().unwrap();
        for (text, at) in [
            ("2026-12-24T09:00:00Z", "2026-12-24T09:00:00Z"),
            ("2026-12-24 09:00", "2026-12-24T08:00:00Z"),
            ("2026-12-24", "2026-12-23T23:00:00Z"),
            ("tomorrow 09:00", "2026-11-30T08:00:00Z"),
            ("today 18:30", "2026-11-29T17:30:00Z"),
            ("13:00", "2026-11-29T12:00:00Z"),
            ("09:00", "2026-11-30T08:00:00Z"),
            ("15m", "2026-11-29T11:15:00Z"),
            ("now", "2026-11-29T11:00:00Z"),
        ] {
            assert_eq!(moment(text, &now).map(|at| at.to_string()).as_deref(), Ok(at), "{text}");
        }
        assert!(moment("next week", &now).unwrap_err().contains("tomorrow 09:00"));
    }

    #[test]
    fn what_is_shown_is_short_and_harmless() {
        let now = Timestamp::UNIX_EPOCH;
        let shown = |seconds| relative(now + SignedDuration::from_secs(seconds), now);
        assert_eq!([shown(0), shown(303), shown(-7_800)], ["now", "in 5m 3s", "2h 10m ago"]);
        assert_eq!(length(Duration::from_millis(250)), "250ms");
        assert_eq!(length(Duration::from_secs(3 * 86_400 + 4 * 3_600)), "3d 4h");
        assert_eq!([size(12), size(1_536), size(5 << 30)], ["12 B", "1.5 KiB", "5.0 GiB"]);
        assert_eq!(line(b"a\tb\x1b[31m"), "a\\tb\\u{1b}[31m");
        assert_eq!(line(&[0xff, 0]), "(2 bytes that are no text)");
    }
}
