//! [`Ledger`]: how often each task was run, and how its runs ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Counts runs. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    runs: Arc<Mutex<HashMap<String, Runs>>>,
    is_printing: bool,
}

/// The runs of one task.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runs {
    /// How many began.
    pub begun: usize,
    /// How many ended well.
    pub done: usize,
    /// How many failed, to be tried again.
    pub failed: usize,
    /// How many failed for good.
    pub given_up: usize,
}

/// What happens to a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Begun,
    Done,
    Failed,
    GivenUp,
}

const STEPS: [(Step, &str); 4] =
    [(Step::Begun, "begun "), (Step::Done, "done "), (Step::Failed, "failed "), (Step::GivenUp, "given-up ")];

impl Ledger {
    /// One that prints each step for another process to [`read`](Self::read), and counts nothing itself.
    pub fn printing() -> Self {
        Self { is_printing: true, ..Self::default() }
    }

    /// Notes a step of a run.
    pub(super) fn note(&self, step: Step, id: &str) {
        if self.is_printing
            && let Some((_, word)) = STEPS.iter().find(|(other, _)| *other as u8 == step as u8)
        {
            println!("{word}{id}");
            return;
        }
        let mut all = self.lock();
        let runs = all.entry(id.to_owned()).or_default();
        match step {
            Step::Begun => runs.begun += 1,
            Step::Done => runs.done += 1,
            Step::Failed => runs.failed += 1,
            Step::GivenUp => runs.given_up += 1,
        }
    }

    /// Notes what another process printed.
    pub fn read(&self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            // The test harness prints on the same line now and then.
            let step = STEPS.iter().find_map(|(step, word)| Some((*step, line.split_once(word)?.1)));
            if let Some((step, id)) = step {
                self.note(step, id);
            }
        }
    }

    /// The runs of a task.
    pub fn runs(&self, id: &str) -> Runs {
        self.lock().get(id).copied().unwrap_or_default()
    }

    /// How many different tasks have run.
    pub fn tasks(&self) -> usize {
        self.lock().len()
    }

    /// How many different tasks have come to their end.
    pub fn ended_tasks(&self) -> usize {
        self.lock().values().filter(|runs| runs.is_over()).count()
    }

    /// How many runs have ended.
    pub fn ended(&self) -> usize {
        self.lock().values().map(|runs| runs.done + runs.failed + runs.given_up).sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Runs>> {
        self.runs.lock().unwrap()
    }
}

impl Runs {
    /// Whether none is to follow.
    pub fn is_over(self) -> bool {
        self.done + self.given_up > 0
    }

    /// How many were one too many: a failure asks for another run, and nothing else does.
    pub fn repeated(self) -> usize {
        self.begun.saturating_sub(self.failed + 1)
    }
}
