//! [`Draft`]: a text in the user's editor.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;

use serde::de::IgnoredAny;
use tempfile::NamedTempFile;

/// The user's editor: `$VISUAL`, else `$EDITOR`. It may have arguments, as in `code --wait`.
#[expect(clippy::disallowed_methods, reason = "these variables belong to the user's whole system")]
pub(crate) fn chosen() -> Option<String> {
    let mut set = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    set.find(|value| !value.trim().is_empty())
}

/// A text to be edited, in a file that nobody else can read and that is removed with this.
pub(crate) struct Draft {
    file: NamedTempFile,
    ends_with_break: bool,
}

impl Draft {
    pub(crate) fn new(text: &[u8]) -> io::Result<Self> {
        let is_json = serde_json::from_slice::<IgnoredAny>(text).is_ok();
        let suffix = if is_json { ".json" } else { ".txt" };
        let mut file = tempfile::Builder::new().prefix("asynq-payload-").suffix(suffix).tempfile()?;
        file.write_all(text)?;
        file.flush()?;
        Ok(Self { file, ends_with_break: text.ends_with(b"\n") })
    }

    /// Opens the text in an editor, for which the terminal must be free, and gives what was saved.
    ///
    /// # Errors
    ///
    /// Which editor could not be run, or failed.
    pub(crate) fn open_in(&self, editor: &str) -> Result<Vec<u8>, String> {
        let mut words = editor.split_whitespace();
        let program = words.next().unwrap_or_default();
        let ended = Command::new(program).args(words).arg(self.file.path()).status();
        let status = ended.map_err(|error| format!("the editor `{editor}` cannot be run: {error}"))?;
        if !status.success() {
            return Err(format!("the editor `{editor}` failed ({status}); nothing was changed"));
        }
        // Read by its name: an editor may have put another file in its place.
        let saved = std::fs::read(self.file.path());
        let mut text = saved.map_err(|error| format!("what the editor saved cannot be read: {error}"))?;
        // Editors end a file with a line break; the text had none.
        if !self.ends_with_break && text.ends_with(b"\n") {
            text.pop();
            if text.ends_with(b"\r") {
                text.pop();
            }
        }
        Ok(text)
    }

    /// Keeps the file, and tells where it is.
    pub(crate) fn keep(self) -> Option<PathBuf> {
        self.file.keep().ok().map(|(_, path)| path)
    }
}
