//! [`Line`]: the line at the bottom: a question, or what is being written.

use asynq_core::inspector::FilterError;
use asynq_core::task::QueueName;

use super::palette::Palette;
use crate::commands::dash::keys::Command;
use crate::commands::dash::request::Change;

/// What stands at the bottom and takes the keys.
#[derive(Debug)]
pub(in crate::commands::dash) enum Line {
    /// A question, and what is done on yes.
    Confirm { question: String, change: Box<Change> },
    /// Something to be written.
    Prompt { purpose: Purpose, writing: Writing },
    /// A command or a queue, found by its name.
    Palette(Palette),
}

/// What is written for.
#[derive(Debug)]
pub(in crate::commands::dash) enum Purpose {
    /// A filter for tasks; and what was wrong with it.
    Filter(Option<FilterError>),
    /// A part of a queue's name.
    QueuePart,
    /// A part of a group's name.
    GroupPart,
    /// The name of the queue that is to be deleted with its tasks.
    DeleteQueue(QueueName),
}

impl Purpose {
    /// What stands before the text.
    pub(in crate::commands::dash) fn label(&self) -> &'static str {
        match self {
            Self::Filter(_) => "filter: ",
            Self::QueuePart => "queues with: ",
            Self::GroupPart => "groups with: ",
            Self::DeleteQueue(_) => "its name, to delete it with all its tasks: ",
        }
    }
}

/// A text and the place in it where one writes.
#[derive(Clone, Debug, Default)]
pub(in crate::commands::dash) struct Writing {
    before: String,
    after: String,
}

impl Writing {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { before: text.into(), after: String::new() }
    }

    pub(in crate::commands::dash) fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// What stands before the cursor.
    pub(in crate::commands::dash) fn before(&self) -> &str {
        &self.before
    }

    pub(super) fn write(&mut self, text: &str) {
        self.before.extend(text.chars().filter(|c| !c.is_control()));
    }

    /// Moves or erases; whether the command is one of these.
    pub(super) fn edit(&mut self, command: Command) -> bool {
        match command {
            Command::Left => {
                if let Some(c) = self.before.pop() {
                    self.after.insert(0, c);
                }
            }
            Command::Right => {
                if !self.after.is_empty() {
                    self.before.push(self.after.remove(0));
                }
            }
            Command::Start => {
                self.after.insert_str(0, &self.before);
                self.before.clear();
            }
            Command::End => {
                self.before.push_str(&self.after);
                self.after.clear();
            }
            Command::EraseLeft => {
                self.before.pop();
            }
            Command::EraseRight => {
                if !self.after.is_empty() {
                    self.after.remove(0);
                }
            }
            Command::EraseWord => {
                let kept = self.before.trim_end().rfind(' ').map_or(0, |place| place + 1);
                self.before.truncate(kept);
            }
            Command::EraseLine => {
                self.before.clear();
                self.after.clear();
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_and_mended() {
        let mut line = Writing::new("type:email état");
        for command in [Command::Left, Command::Left, Command::EraseLeft, Command::EraseRight] {
            assert!(line.edit(command));
        }
        assert_eq!(line.text(), "type:email ét");
        line.edit(Command::EraseWord);
        line.write("x\ny");
        assert_eq!((line.before(), line.text().as_str()), ("type:email xy", "type:email xyt"));
        line.edit(Command::Start);
        line.edit(Command::Right);
        assert_eq!(line.before(), "t");
        line.edit(Command::End);
        line.edit(Command::EraseLine);
        assert!(line.edit(Command::EraseWord) && line.text().is_empty() && !line.edit(Command::Up));
    }
}
