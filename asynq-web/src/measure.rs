//! [`Measure`]: what a chart's numbers are, how they are written, and where their axis ends.

use std::time::Duration;

use asynq_core::inspector::human;

use crate::pages::count;

/// What a chart's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Tasks,
    PerSecond,
    Percent,
    Seconds,
    Bytes,
}

impl Measure {
    /// A number of this kind, in a few signs.
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            Self::Tasks => whole(value),
            Self::PerSecond => format!("{}/s", short(value)),
            Self::Percent => format!("{}%", short(value)),
            Self::Seconds if value < 0.001 => if value > 0.0 { "<1ms" } else { "0s" }.to_owned(),
            Self::Seconds => human::length(Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX)),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes")]
            Self::Bytes => human::size(value.max(0.0) as u64),
        }
    }

    /// Where an axis ends that has to have this number on it: at a round one above it.
    pub(crate) fn end(self, most: f64) -> f64 {
        match self {
            Self::Percent if most > 50.0 => 100.0,
            Self::Seconds => SECONDS
                .into_iter()
                .find(|end| *end >= most)
                .unwrap_or_else(|| round(most / 86_400.0) * 86_400.0),
            Self::Tasks => round(most.max(4.0)),
            _ => round(most.max(0.01)),
        }
    }
}

/// Ends of axes of lengths of time, in seconds.
const SECONDS: [f64; 26] = [
    0.001, 0.002, 0.004, 0.01, 0.02, 0.04, 0.1, 0.2, 0.4, 1.0, 2.0, 4.0, 10.0, 20.0, 60.0, 120.0, 240.0,
    600.0, 1_200.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0, 86_400.0, 172_800.0, 345_600.0,
];

/// The next number whose half is round too: 1, 2, 4, 5 or 10 times a power of ten.
fn round(most: f64) -> f64 {
    let power = 10_f64.powf(most.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|end| *end >= most * 0.999_999).unwrap_or(most)
}

fn whole(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of tasks")]
    let tasks = value.max(0.0).round() as u64;
    count(tasks)
}

/// Two decimals where they matter.
fn short(value: f64) -> String {
    if value >= 100.0 {
        return whole(value);
    }
    let text = if value >= 10.0 { format!("{value:.1}") } else { format!("{value:.2}") };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (measure, value, text) in [
            (Measure::Tasks, 12_345.4, "12,345"),
            (Measure::PerSecond, 0.0, "0/s"),
            (Measure::PerSecond, 0.333_3, "0.33/s"),
            (Measure::PerSecond, 12.0, "12/s"),
            (Measure::PerSecond, 1_234.5, "1,235/s"),
            (Measure::Percent, 100.0, "100%"),
            (Measure::Percent, 2.5, "2.5%"),
            (Measure::Seconds, 0.0, "0s"),
            (Measure::Seconds, 0.000_4, "<1ms"),
            (Measure::Seconds, 0.25, "250ms"),
            (Measure::Seconds, 90.0, "1m 30s"),
            (Measure::Bytes, 2_048.0, "2.0 KiB"),
        ] {
            assert_eq!(measure.text(value), text);
        }
    }

    #[test]
    fn axes_end_at_round_numbers_above_all_others() {
        for (measure, most, end) in [
            (Measure::Tasks, 0.0, 4.0),
            (Measure::Tasks, 4.1, 5.0),
            (Measure::Tasks, 21.0, 40.0),
            (Measure::PerSecond, 100.0, 100.0),
            (Measure::PerSecond, 0.0, 0.01),
            (Measure::Percent, 51.0, 100.0),
            (Measure::Percent, 3.0, 4.0),
            (Measure::Seconds, 0.3, 0.4),
            (Measure::Seconds, 61.0, 120.0),
            (Measure::Seconds, 1_000_000.0, 1_728_000.0),
        ] {
            assert!((measure.end(most) - end).abs() < 1e-9, "{measure:?} {most}: {}", measure.end(most));
        }
    }
}
