//! [`Process`]: a command that is echoed before it runs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::places;

/// A command to be run in the workspace's root, without input.
pub(crate) struct Process {
    program: OsString,
    /// What is echoed in place of the program's path.
    name: String,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, String)>,
    directory: PathBuf,
}

/// The cargo that runs us.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Process {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Process { program, ..Process::new("cargo") }.args(arguments)
}

impl Process {
    /// A program on `PATH`, or at a path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref().to_owned();
        let name = Path::new(&program).file_name().unwrap_or(&program).to_string_lossy().into_owned();
        Self {
            program,
            name,
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: places::root().to_owned(),
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs in another folder.
    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Echoes the command and runs it; an error unless it succeeds.
    pub(crate) fn run(self) -> Result<()> {
        let line = self.line();
        eprintln!("$ {line}");
        let status = self.command().status().with_context(|| format!("cannot run `{line}`"))?;
        ensure!(status.success(), "`{line}` failed: {status}");
        Ok(())
    }

    /// Runs it silently and gives what it prints.
    pub(crate) fn read(self) -> Result<String> {
        let line = self.line();
        let output =
            self.command().stdout(Stdio::piped()).output().with_context(|| format!("cannot run `{line}`"))?;
        ensure!(
            output.status.success(),
            "`{line}` failed: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).with_context(|| format!("what `{line}` prints"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        command
    }

    /// The command as one would type it.
    fn line(&self) -> String {
        let environment = self.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        let arguments = self.arguments.iter().map(|argument| quoted(&argument.to_string_lossy()));
        let words: Vec<String> = environment.chain([self.name.clone()]).chain(arguments).collect();
        words.join(" ")
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_what_one_would_type() {
        let process = cargo(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").arg("it's");
        assert_eq!(process.line(), r"RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'it'\''s'");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = Process::new("false").run().unwrap_err();
        assert!(error.to_string().starts_with("`false` failed"), "{error}");
    }

    #[test]
    fn reads_output() {
        assert_eq!(Process::new("echo").arg("hello").read().unwrap(), "hello\n");
    }
}
