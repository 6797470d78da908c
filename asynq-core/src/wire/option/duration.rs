//! [`GoDuration`]: Go's `time.Duration` and its text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A Go `time.Duration`: signed nanoseconds. Its text is Go's, such as `1h0m0s`, `1.5s` or `-3ms`.
///
/// # Examples
///
/// ```
/// use asynq_core::wire::GoDuration;
///
/// assert_eq!(GoDuration(90_000_000_000).to_string(), "1m30s");
/// assert_eq!("1.5h".parse(), Ok(GoDuration(5_400_000_000_000)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(pub i64);

/// The text is not a duration as Go writes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a duration: {0:?}; write it as Go does, such as 1h30m, 1.5s or 300ms")]
pub struct InvalidDuration(pub String);

const SECOND: u64 = 1_000_000_000;

impl GoDuration {
    /// The duration, or nothing when it is negative.
    pub fn to_std(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }
}

impl From<Duration> for GoDuration {
    /// What is longer than 292 years becomes the longest duration that Go knows.
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanos}ns"),
            1_000..1_000_000 => write!(f, "{}µs", Decimal { number: nanos, digits: 3 }),
            1_000_000..SECOND => write!(f, "{}ms", Decimal { number: nanos, digits: 6 }),
            SECOND.. => {
                let (hours, minutes) = (nanos / SECOND / 3600, nanos / SECOND / 60 % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                write!(f, "{}s", Decimal { number: nanos % (60 * SECOND), digits: 9 })
            }
        }
    }
}

/// A number with this many digits after the point, less the zeros at its end.
struct Decimal {
    number: u64,
    digits: u32,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(self.digits);
        write!(f, "{}", self.number / unit)?;
        let mut fraction = self.number % unit;
        if fraction == 0 {
            return Ok(());
        }
        let mut width = self.digits as usize;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        write!(f, ".{fraction:0width$}")
    }
}

impl FromStr for GoDuration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        asynq_cron::duration::nanos(text).map(Self).ok_or_else(|| InvalidDuration(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_gos() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (-1_100, "-1.1µs"),
            (2_000_000, "2ms"),
            (1_000_000_001, "1.000000001s"),
            (60_000_000_000, "1m0s"),
            (3_600_250_000_000, "1h0m0.25s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(GoDuration(nanos).to_string(), text);
            assert_eq!(text.parse(), Ok(GoDuration(nanos)));
        }
    }

    #[test]
    fn reads_what_go_reads() {
        for (text, nanos) in [
            ("+5s", 5_000_000_000),
            ("-0", 0),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1us1\u{3bc}s", 2_000),
            ("0.9223372036854775807s", 922_337_203),
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(GoDuration(nanos)), "{text}");
        }
        for text in
            ["", "3", "-", ".s", ".", "1d", "s", "1s ", "9223372036854775808ns", "1e3s", "3000000h", "1é"]
        {
            assert_eq!(text.parse::<GoDuration>(), Err(InvalidDuration(text.to_owned())));
        }
    }
}
