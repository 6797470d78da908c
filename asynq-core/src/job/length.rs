//! [`Length`]: a length of time as `#[job]` takes it.

use std::fmt;
use std::time::Duration;

/// A length of time in the spelling of `#[job]`: `1h30m`. What is no number of whole seconds is written as Rust does.
pub(crate) struct Length(pub(crate) Duration);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.subsec_nanos() > 0 || seconds == 0 {
            return write!(f, "{:?}", self.0);
        }
        let parts = [
            (seconds / 86_400, 'd'),
            (seconds / 3_600 % 24, 'h'),
            (seconds / 60 % 60, 'm'),
            (seconds % 60, 's'),
        ];
        for (number, unit) in parts.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "{number}{unit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_in_the_source() {
        for (millis, text) in [
            (1_000, "1s"),
            (90_000, "1m30s"),
            (3_600_000, "1h"),
            (90_061_000, "1d1h1m1s"),
            (1_500, "1.5s"),
            (0, "0ns"),
        ] {
            assert_eq!(Length(Duration::from_millis(millis)).to_string(), text);
        }
    }
}
