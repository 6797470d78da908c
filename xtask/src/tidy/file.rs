//! [`File`]: a file to be checked, and [`Finding`]: what is wrong with it.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};

use crate::places;
use crate::process::Process;

/// A text file of the repository.
pub(crate) struct File {
    /// Its path from the root, with `/` between the parts.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// Something wrong in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    message: String,
}

impl File {
    /// Every text file that git tracks, or would with `git add --all`.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let root = places::root();
        // A checkout may belong to another user than the one who runs this, as in many containers.
        let ours = format!("safe.directory={}", root.display());
        let list = Process::new("git")
            .args(["-c", &ours, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .read()?;
        let mut files = Vec::new();
        for path in list.split_terminator('\0') {
            let place = root.join(path);
            // Deleted, but not yet in the index; or a submodule's folder.
            if !place.is_file() {
                continue;
            }
            let bytes = fs::read(&place).with_context(|| format!("cannot read {path}"))?;
            // What is not text has no lines to look at.
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(Self { path: path.to_owned(), text });
            }
        }
        Ok(files)
    }

    /// Whether this is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.strip_suffix(".rs").is_some()
    }

    /// Something wrong in this file.
    pub(crate) fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, message: message.into() }
    }

    /// A finding for every line that contains one of `words`.
    pub(crate) fn lines_with(
        &self,
        words: &[impl AsRef<str>],
        message: impl Fn(&str) -> String,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, line) in self.text.lines().enumerate() {
            if let Some(word) = words.iter().map(AsRef::as_ref).find(|word| line.contains(word)) {
                findings.push(self.finding(index + 1, message(word)));
            }
        }
        findings
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

#[cfg(test)]
impl File {
    /// A file that exists only in a test.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}

#[cfg(test)]
impl Finding {
    /// The line and the message, for assertions.
    pub(crate) fn brief(&self) -> (usize, &str) {
        (self.line, &self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_places() {
        let file = File::new("a/b.rs", "one\ntwo\n");
        let findings = file.lines_with(&["two"], |word| format!("`{word}` is here"));
        assert_eq!(findings.iter().map(Finding::to_string).collect::<Vec<_>>(), ["a/b.rs:2: `two` is here"]);
    }
}
