//! [`Palette`]: everything that can be done here, and every queue, found by a part of its name.

use asynq_core::task::QueueName;

use super::line::Writing;
use crate::commands::dash::keys::{BINDINGS, Command, Focus};

/// A command or a queue that is looked for by its name.
#[derive(Debug)]
pub(in crate::commands::dash) struct Palette {
    pub(in crate::commands::dash) writing: Writing,
    all: Vec<Target>,
    pub(in crate::commands::dash) chosen: usize,
}

/// What is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::dash) enum Target {
    /// A command, what it does, and its keys.
    Command(Command, String),
    Queue(QueueName),
}

impl Target {
    pub(in crate::commands::dash) fn text(&self) -> String {
        match self {
            Self::Command(_, text) => text.clone(),
            Self::Queue(queue) => format!("queue {}", crate::human::printable(queue.as_str())),
        }
    }
}

impl Palette {
    pub(super) fn new(focus: Focus, read_only: bool, queues: impl Iterator<Item = QueueName>) -> Self {
        let here =
            BINDINGS.iter().filter(|binding| binding.at.contains(&focus) && binding.is_allowed(read_only));
        let moves = [Command::Up, Command::Down, Command::Palette];
        let commands = here.filter(|binding| !moves.contains(&binding.command)).map(|binding| {
            Target::Command(binding.command, format!("{}  ({})", binding.help, binding.keys.join(", ")))
        });
        Self {
            writing: Writing::default(),
            all: commands.chain(queues.map(Target::Queue)).collect(),
            chosen: 0,
        }
    }

    /// What fits what is written: all its words, in any case.
    pub(in crate::commands::dash) fn fitting(&self) -> Vec<&Target> {
        let text = self.writing.text().to_lowercase();
        let fits = |target: &&Target| {
            let name = target.text().to_lowercase();
            text.split_whitespace().all(|word| name.contains(word))
        };
        self.all.iter().filter(fits).collect()
    }

    pub(super) fn target(&self) -> Option<Target> {
        self.fitting().get(self.chosen).copied().cloned()
    }

    pub(super) fn step(&mut self, down: bool) {
        let last = self.fitting().len().saturating_sub(1);
        self.chosen = match (down, self.chosen) {
            (true, at) if at >= last => 0,
            (true, at) => at + 1,
            (false, 0) => last,
            (false, at) => at - 1,
        };
    }
}
