//! [`Users`]: who may come in, and what they may do.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::time::Instant;

use super::secret::Digest;
use super::users_file::read;
use crate::background::lock;
use crate::rights::Rights;

/// How often it is looked whether the file has changed, at most.
const LOOK: Duration = Duration::from_secs(1);

/// No file of users is larger.
const LARGEST: u64 = 4 << 20;

/// Who may come in, and what they may do: people with passwords, programs with tokens, and groups of people whom a
/// trusted proxy vouches for.
///
/// Written in TOML. Passwords and tokens stand in it as hashes, which [`hash_password`](crate::hash_password) and
/// [`Token`](crate::Token) make, or `asynq web hash-password` and `asynq web new-token`.
///
/// | table | |
/// |---|---|
/// | `[[users]]` | `name`, and `password` unless a proxy logs them in: an argon2id hash |
/// | `[[tokens]]` | `name`, `sha256`, and `expires` if it does: an RFC 3339 time |
/// | `[[groups]]` | `name` as the proxy tells it, or `*` for everybody for whom it vouches; of several the first counts |
/// | in each | `role` (`viewer`, `operator`, `admin`) or `rights` (a list of [`Right`](crate::Right)s), and `queues` if not all: a list of names in which `*` stands for anything |
///
/// Clones are the same users.
///
/// # Examples
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_web::{Users, WebUi, hash_password};
///
/// let users = Users::parse(&format!(
///     r#"
///     [[users]]
///     name = "ann"
///     password = "{}"
///     role = "operator"
///     queues = ["mail-*"]
///     "#,
///     hash_password("correct horse battery staple")?
/// ))?;
/// let ui = WebUi::new(&Client::in_memory()).users(users).service();
///
/// let error = Users::parse("[[users]]\nname = \"ann\"\nrole = \"boss\"").unwrap_err();
/// assert!(error.to_string().starts_with("3:8: `boss` is no role"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Users {
    known: Arc<RwLock<Arc<Known>>>,
    file: Option<Arc<File>>,
}

/// What a file of users says.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) people: BTreeMap<Arc<str>, Person>,
    pub(super) tokens: HashMap<Digest, Program>,
    /// In the order of the file.
    pub(super) groups: Vec<(String, Rights)>,
}

/// Somebody who may come in.
#[derive(Debug)]
pub(super) struct Person {
    /// None of those whom only a proxy logs in.
    pub(super) password: Option<Arc<str>>,
    pub(super) rights: Rights,
}

/// A program that may come in.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: Arc<str>,
    pub(super) rights: Rights,
    pub(super) expires: Option<Timestamp>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// When it was looked at last, and what was seen.
    seen: Mutex<(Instant, Option<Stamp>)>,
}

/// Differs when the file does.
type Stamp = (Option<SystemTime>, u64);

impl Users {
    /// Those of a text.
    ///
    /// # Errors
    ///
    /// When anything in it is wrong: what, where, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, UsersError> {
        Ok(Self { known: Arc::new(RwLock::new(Arc::new(read(text)?))), file: None })
    }

    /// Those of a file, which is read again when it changes, within a second of a request. Should it be wrong then, that
    /// is logged, and what was known stays. Sessions of users whose password stays the same go on, with the rights that
    /// they have now.
    ///
    /// A file that other people of this machine may read is warned about.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or anything in it is wrong.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, UsersError> {
        let path = path.into();
        let seen = stamp(&path);
        let known = read_file(&path)?;
        if let Some(warning) = reach_of(&path) {
            tracing::warn!(path = %path.display(), "{warning}");
        }
        Ok(Self {
            known: Arc::new(RwLock::new(Arc::new(known))),
            file: Some(Arc::new(File { path, seen: Mutex::new((Instant::now(), seen)) })),
        })
    }

    /// What is known at this moment.
    pub(super) fn known(&self) -> Arc<Known> {
        if let Some(file) = &self.file
            && file.has_changed()
        {
            match read_file(&file.path) {
                Ok(known) => {
                    tracing::info!(path = %file.path.display(), "the file of users was read again");
                    *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
                }
                Err(error) => tracing::error!(%error, "the users stay as they were"),
            }
        }
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl File {
    fn has_changed(&self) -> bool {
        let mut seen = lock(&self.seen);
        if seen.0.elapsed() < LOOK {
            return false;
        }
        let now = stamp(&self.path);
        let is_changed = now != seen.1;
        *seen = (Instant::now(), now);
        is_changed
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}

fn read_file(path: &Path) -> Result<Known, UsersError> {
    let unreadable = |error: std::io::Error| UsersError::new(error.to_string()).of_file(path);
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(UsersError::new(format!("it is larger than {} MiB", LARGEST >> 20)).of_file(path));
    }
    read(&text).map_err(|error| error.of_file(path))
}

/// Who else may read the file, if that can be told.
#[cfg(unix)]
fn reach_of(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o004 != 0).then(|| {
        format!(
            "everybody on this machine may read the file of users (its mode is {mode:03o}): `chmod 600` keeps the hashes secret"
        )
    })
}

#[cfg(not(unix))]
fn reach_of(_path: &Path) -> Option<String> {
    None
}

/// What is wrong with a file of users: `FILE:LINE:COLUMN: what`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsersError {
    file: Option<PathBuf>,
    place: Option<(usize, usize)>,
    reason: String,
}

impl UsersError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { file: None, place: None, reason: reason.into() }
    }

    pub(super) fn at(self, line: usize, column: usize) -> Self {
        Self { place: Some((line, column)), ..self }
    }

    fn of_file(self, path: &Path) -> Self {
        Self { file: Some(path.to_owned()), ..self }
    }
}

impl fmt::Display for UsersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.file {
            write!(f, "{}:", path.display())?;
        }
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        let blank = if self.file.is_some() || self.place.is_some() { " " } else { "" };
        write!(f, "{blank}{}", self.reason)
    }
}

impl std::error::Error for UsersError {}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_that_others_may_read_is_warned_about() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        write(&path, "").unwrap();
        for (mode, is_warned) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let warning = reach_of(&path);
            assert_eq!(warning.is_some(), is_warned, "{mode:o}");
            assert!(warning.is_none_or(|warning| warning.contains(&format!("{mode:o}"))));
        }
    }

    #[test]
    fn errors_of_a_file_begin_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        write(&path, "[[users]]\nname = 7\n").unwrap();
        let error = Users::open(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{}:2:8: `name` must be a text", path.display()));
        write(&path, [0xff]).unwrap();
        assert!(Users::open(&path).unwrap_err().to_string().contains("UTF-8"));
    }
}
