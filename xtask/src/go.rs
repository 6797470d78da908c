//! Go programs on the real asynq: found, judged by version, and built once.

use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Error, Result, ensure};

use crate::places;
use crate::process::Process;

/// The oldest Go that builds asynq v0.26.
pub(crate) const MINIMUM: Version = Version { major: 1, minor: 24 };

/// The peer of the compatibility tests.
pub(crate) const PEER: GoProgram = GoProgram { source: "tests/gopeer", name: "gopeer" };

/// The real asynqmon, to compare the API of the Web UI with.
pub(crate) const ASYNQMON: GoProgram = GoProgram { source: "tests/asynqmon", name: "asynqmon" };

/// Go's side of the benchmarks.
pub(crate) const BENCH: GoProgram = GoProgram { source: "bench/go", name: "gobench" };

/// A Go program of this repository.
pub(crate) struct GoProgram {
    source: &'static str,
    name: &'static str,
}

/// A version of Go, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

/// The `go` on `PATH`, or where Go's own installer puts it.
pub(crate) fn program() -> Option<PathBuf> {
    let usual = PathBuf::from("/usr/local/go/bin/go");
    places::find("go").or_else(|| usual.is_file().then_some(usual))
}

/// The version of [`program`].
pub(crate) fn version() -> Result<Version> {
    go()?.args(["env", "GOVERSION"]).read()?.trim().parse()
}

impl GoProgram {
    /// Builds it unless it was built from the same files by the same Go: where it is.
    pub(crate) fn build(&self) -> Result<PathBuf> {
        let source = places::root().join(self.source);
        ensure!(source.join("go.mod").is_file(), "{} holds no Go program", self.source);
        let folder = places::target().join(self.name);
        let program = folder.join(self.name);
        let stamp = folder.join("built-from");

        let sources = files(&source, self.name).with_context(|| format!("the files of {}", self.source))?;
        let built_from = format!("{} {:016x}\n", go()?.arg("version").read()?.trim(), fingerprint(&sources));
        if program.is_file() && fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == built_from) {
            return Ok(program);
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // No C compiler and no look at the repository: the same program on every machine.
        go()?
            .args(["build", "-trimpath", "-buildvcs=false", "-o"])
            .arg(&program)
            .arg(".")
            .env("CGO_ENABLED", "0")
            .directory(source)
            .run()?;
        fs::write(&stamp, built_from).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(program)
    }
}

fn go() -> Result<Process> {
    Ok(Process::new(program().context("there is no `go`")?))
}

/// A source file: its path within the program's folder, and its content.
type SourceFile = (PathBuf, Vec<u8>);

/// All files of a program, sorted, but for the program itself where somebody built it in its folder.
fn files(folder: &Path, name: &str) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|file| file != name) {
                let content = fs::read(&path)?;
                files.push((path.strip_prefix(folder).unwrap_or(&path).to_owned(), content));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn fingerprint(files: &[SourceFile]) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

impl FromStr for Version {
    type Err = Error;

    /// `go1.26.8`, `1.24~2`, `1.25rc1`.
    fn from_str(text: &str) -> Result<Self> {
        let mut numbers = text
            .trim_start_matches("go")
            .split('.')
            .map(|part| part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
        let mut next = || numbers.next()?.parse().ok();
        match (next(), next()) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(Error::msg(format!("`{text}` is not a version of Go"))),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(version("go1.26.8") > MINIMUM);
        assert!(version("1.24~2") >= MINIMUM);
        assert!(version("1.24rc1") >= MINIMUM);
        assert!(version("go1.9") < version("go1.19"));
        assert!(version("1.19~1") < MINIMUM);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "go", "devel", "1", "none", "x.y"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn fingerprints_see_names_and_contents() {
        let file = |name: &str, content: &str| (PathBuf::from(name), content.as_bytes().to_vec());
        let one = fingerprint(&[file("main.go", "package main")]);
        assert_eq!(one, fingerprint(&[file("main.go", "package main")]));
        assert_ne!(one, fingerprint(&[file("main.go", "package main\n")]));
        assert_ne!(one, fingerprint(&[file("other.go", "package main")]));
    }
}
