//! [`JobRate`]: how many tasks of a job begin in what time.

use std::fmt;
use std::time::Duration;

use super::length::Length;

/// How many tasks of a job begin in a period, over all servers: `#[job(rate = "100/s")]`. Its text is that of the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobRate {
    /// The most that begin in a period.
    pub most: u32,
    /// The period.
    pub period: Duration,
}

impl fmt::Display for JobRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = Length(self.period).to_string();
        // One of a unit is the unit alone.
        let period = period.strip_prefix('1').filter(|unit| unit.len() == 1).unwrap_or(&period);
        write!(f, "{}/{period}", self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_written_as_in_the_source() {
        for (most, seconds, text) in [
            (100, 1, "100/s"),
            (10, 60, "10/m"),
            (1, 86_400, "1/d"),
            (10, 30, "10/30s"),
            (5, 5_400, "5/1h30m"),
        ] {
            assert_eq!(JobRate { most, period: Duration::from_secs(seconds) }.to_string(), text);
        }
    }
}
