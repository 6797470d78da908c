//! When the steps of a case ran, in Go's run and in ours.

use crate::vectors::file::{Scenario, Step, StepClock, TimeRelation, Unit};

const SECOND: i64 = 1_000_000_000;

/// A stretch of time, in Unix nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// The clocks of a case.
#[derive(Debug)]
pub(super) struct Clocks {
    go: Vec<StepClock>,
    /// For each step, the first since the last dump: what a dump shows for the first time was made since then.
    since: Vec<usize>,
    ours: Vec<Window>,
}

impl Clocks {
    pub(super) fn new(case: &Scenario) -> Self {
        let mut since = Vec::new();
        let mut first = 0;
        for (number, step) in case.steps.iter().enumerate() {
            since.push(first);
            if step.state.is_some() {
                first = number + 1;
            }
        }
        Self { go: case.steps.iter().map(|step| step.clock).collect(), since, ours: Vec::new() }
    }

    /// Our next step ran from `before` to `after`.
    pub(super) fn passed(&mut self, before: i64, after: i64) {
        self.ours.push(Window { from: before, to: after });
    }

    /// Whether the step that just ran saw a clock that stands still.
    pub(super) fn is_fixed(step: &Step) -> bool {
        matches!(step.clock, StepClock::Fixed { .. })
    }

    /// The step that just ran, in Go's run and in ours.
    pub(super) fn current(&self) -> (Window, Window) {
        let number = self.ours.len() - 1;
        (go_window(self.go[number]), self.ours[number])
    }

    /// Seconds for which the case has run so far, the longer of both runs.
    pub(super) fn elapsed(&self) -> i64 {
        let length = |windows: &mut dyn Iterator<Item = Window>| {
            let windows: Vec<Window> = windows.collect();
            (windows.last().unwrap().to - windows[0].from) / SECOND
        };
        let count = self.ours.len();
        let go = self.go[..count].iter().map(|&clock| go_window(clock));
        length(&mut go.into_iter()).max(length(&mut self.ours.iter().copied()))
    }

    /// What a value must be that Go's run gave `go` and this relation.
    pub(super) fn expected(&self, relation: &TimeRelation, go: i64) -> Expected {
        let made = relation.step;
        let is_fixed = matches!(self.go[made], StepClock::Fixed { .. });
        if relation.exact || is_fixed {
            return Expected::Exactly(go);
        }
        let (from, to) = (self.ours[self.since[made].min(made)].from, self.ours[made].to);
        if relation.unit == Unit::Nanoseconds && relation.offset_s == Some(0) {
            return Expected::Between(from, to);
        }
        let (low, high) = match (relation.offset_s_range, relation.offset_s.or(relation.offset)) {
            (Some(range), _) => range,
            (None, Some(offset)) => (offset, offset),
            (None, None) => return Expected::Exactly(go),
        };
        let (low, high) = (from.div_euclid(SECOND) + low - 1, to.div_euclid(SECOND) + high + 1);
        match relation.unit {
            Unit::Seconds => Expected::Between(low, high),
            Unit::Nanoseconds => Expected::Between(low * SECOND, (high + 1) * SECOND - 1),
        }
    }
}

/// What a time must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    Exactly(i64),
    Between(i64, i64),
}

impl Expected {
    pub(super) fn allows(self, value: i64) -> bool {
        match self {
            Self::Exactly(expected) => value == expected,
            Self::Between(low, high) => (low..=high).contains(&value),
        }
    }
}

fn go_window(clock: StepClock) -> Window {
    match clock {
        StepClock::Real { before_ns, after_ns } => Window { from: before_ns, to: after_ns },
        StepClock::Fixed { now_ns } => Window { from: now_ns, to: now_ns },
    }
}

/// Whether a time of a result, in this unit, lies as far from the beginning of our step as Go's from that of Go's.
pub(super) fn follows(go: i64, ours: i64, unit: i64, (go_step, our_step): (Window, Window)) -> bool {
    let apart = |time: i64, step: Window| time.saturating_mul(SECOND / unit) - step.from;
    let slack = SECOND + (go_step.to - go_step.from) + (our_step.to - our_step.from);
    (apart(go, go_step) - apart(ours, our_step)).abs() <= slack
}
