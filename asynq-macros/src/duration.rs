//! [`seconds`]: durations as people write them, `"30s"` or `"1h30m"`, read at compile time.
//!
//! Only whole seconds: Go stores its durations in seconds, so `"500ms"` would silently become zero, which means the
//! default of half an hour.

/// Units and their seconds, in the order in which they are written.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Units that people try: what to write instead, and how many of those they are.
const OTHERS: [(&[&str], &str, u64); 5] = [
    (&["sec", "secs", "second", "seconds", "S"], "s", 1),
    (&["min", "mins", "minute", "minutes", "M"], "m", 1),
    (&["hr", "hrs", "hour", "hours", "H"], "h", 1),
    (&["day", "days", "D"], "d", 1),
    (&["w", "wk", "week", "weeks", "W"], "d", 7),
];

/// The longest duration that Go can hold: 2⁶³ − 1 nanoseconds.
const LONGEST: u64 = i64::MAX.unsigned_abs() / 1_000_000_000;

/// How many seconds `text` means; otherwise what is wrong with it and what to write.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    if text.trim().is_empty() {
        return Err("a duration must not be blank; write one such as \"30s\" or \"1h30m\"".to_owned());
    }
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split(after, |c| c.is_ascii_digit());
        rest = after;
        if number.is_empty() {
            return Err(format!("{text:?} is not a duration; write one such as \"30s\" or \"1h30m\""));
        }
        let Some(&(_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(wrong_unit(text, number, unit));
        };
        if size >= smallest {
            return Err(format!(
                "duration {text:?} names its units out of order; write days, hours, minutes, seconds, each once, \
                 such as \"1h30m\""
            ));
        }
        smallest = size;
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(size)?.checked_add(total))
            .filter(|total| *total <= LONGEST)
            .ok_or_else(|| {
                format!(
                    "duration {text:?} is too long; the longest that Go can hold is 292 years, \"106751d\""
                )
            })?;
    }
    if total == 0 {
        return Err(format!(
            "duration {text:?} is zero; write \"1s\" or more, or leave the option out for its default"
        ));
    }
    Ok(total)
}

/// `text` before and from the first character that ends it.
fn split(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn wrong_unit(text: &str, number: &str, unit: &str) -> String {
    if unit.is_empty() {
        return format!("duration {text:?} has no unit; write \"{number}s\"");
    }
    if matches!(unit, "ms" | "us" | "µs" | "μs" | "ns") {
        return format!(
            "duration {text:?} is not in whole seconds, which is all that Go stores; write \"1s\" or more"
        );
    }
    if unit.starts_with(['.', ',']) {
        return format!(
            "duration {text:?} has a fraction; write whole numbers of smaller units, such as \"1h30m\""
        );
    }
    if text.contains(char::is_whitespace) {
        let solid: String = text.split_whitespace().collect();
        // Only if that is right: otherwise the hint would be the next mistake.
        if seconds(&solid).is_ok() {
            return format!("a duration has no white space; write \"{solid}\"");
        }
    }
    let meant = OTHERS.iter().find(|(names, ..)| names.contains(&unit.trim()));
    match meant.and_then(|(_, unit, times)| Some((unit, number.parse::<u64>().ok()?.checked_mul(*times)?))) {
        Some((right, number)) => {
            format!("`{}` is not a unit of a duration (d, h, m, s); write \"{number}{right}\"", unit.trim())
        }
        None => {
            format!("`{}` is not a unit of a duration (d, h, m, s); write one such as \"1h30m\"", unit.trim())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn units_add_up() {
        for (text, expected) in [
            ("1s", 1),
            ("30s", 30),
            ("90m", 5_400),
            ("1h30m", 5_400),
            ("1d", 86_400),
            ("1d2h3m4s", 93_784),
            ("106751d", 9_223_286_400),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (text, remedy) in [
            ("", "must not be blank"),
            ("30", "write \"30s\""),
            ("1h30", "write \"30s\""),
            ("500ms", "whole seconds"),
            ("1500ms", "whole seconds"),
            ("1.5h", "has a fraction"),
            ("0s", "is zero"),
            ("0h0m", "is zero"),
            ("-5s", "is not a duration"),
            ("soon", "is not a duration"),
            ("30m1h", "out of order"),
            ("1m1m", "out of order"),
            ("1h 30m", "write \"1h30m\""),
            ("5min", "write \"5m\""),
            ("2 weeks", "write \"14d\""),
            ("1y", "is not a unit"),
            ("106752d", "too long"),
            ("99999999999999999999s", "too long"),
            ("18446744073709551615d", "too long"),
        ] {
            let error = seconds(text).unwrap_err();
            assert!(error.contains(remedy), "{text}: {error}");
        }
    }
}
