//! [`Span`]: which part of the past is asked for, and how exactly.

use std::time::Duration;

use jiff::Timestamp;

/// A part of the past in equal steps; times in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) step: i64,
    pub(crate) steps: usize,
}

impl Span {
    /// The last `length` until `to`, in steps that begin at multiples of their length; the one that `to` is in is the last.
    pub(crate) fn last(length: Duration, step: Duration, to: Timestamp) -> Self {
        let millis = |length: Duration| i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        let step = millis(step).max(1);
        let steps = millis(length).div_euclid(step).max(1);
        let end = to.as_millisecond().saturating_add(step - 1).div_euclid(step) * step;
        Self { from: end - steps * step, step, steps: usize::try_from(steps).unwrap_or(0) }
    }

    /// When each step begins.
    pub(crate) fn times(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let Self { from, step, steps } = *self;
        let count = i64::try_from(steps).unwrap_or(i64::MAX);
        (0..count)
            .map(move |at| Timestamp::from_millisecond(from + at * step).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_begin_at_multiples_of_their_length() {
        let seconds = Duration::from_secs;
        let to = "2033-05-18T12:00:07Z".parse().unwrap();
        let span = Span::last(seconds(60), seconds(10), to);
        let times: Vec<String> = span.times().map(|at| at.to_string()).collect();
        assert_eq!(
            (times.len(), times[0].as_str(), times[5].as_str()),
            (6, "2033-05-18T11:59:10Z", "2033-05-18T12:00:00Z")
        );
        let whole = Span::last(seconds(60), seconds(10), "2033-05-18T12:00:00Z".parse().unwrap());
        assert_eq!(whole.times().last().unwrap().to_string(), "2033-05-18T11:59:50Z");
    }
}
