//! [`Filter`].

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::FilterError;
use super::syntax::words;
use super::term::{NAMES, Subject, THINGS, Term};
use crate::task::{TaskInfo, TaskState};

/// Which tasks are meant, in one line of text.
///
/// Words are separated by blanks, and all of them must fit. A minus before a word turns it round; commas separate
/// values of which one must fit; `*` stands for anything and `?` for one character; case is no matter; what has
/// blanks, commas or stars of its own is put in double quotes.
///
/// | word | tasks |
/// |---|---|
/// | `type:email:*` | of this type |
/// | `state:retry,archived` | in one of these states |
/// | `queue:mail-*`, `group:user-7` | of these queues, of this group |
/// | `id:0198*` | with this ID |
/// | `error:timeout` | whose last error contains this |
/// | `payload:ann@example.com` | whose payload contains this |
/// | `payload.user.id:42`, `payload.items.0.price:>9.5` | in whose JSON payload this field is so |
/// | `result:ok` | whose result contains this |
/// | `header.tenant:acme` | with this header |
/// | `retried:>3`, `max_retry:0` | tried so often, to be tried so often |
/// | `age:>2h` | done, or last failed, so long ago |
/// | `due:<10m` | to be run within this time |
/// | `has:result` | that have one; also `payload`, `error`, `group`, `headers`, `deadline`, `retention` |
/// | `is:orphaned` | that are active, but whose worker is gone |
/// | `timeout` | with this in ID, type, payload or last error |
///
/// # Examples
///
/// ```
/// use asynq_core::inspector::Filter;
///
/// let filter: Filter = "type:email:* state:archived error:timeout -payload.user.id:42".parse()?;
/// assert!(!filter.is_empty());
///
/// let error = "tipe:email:send".parse::<Filter>().unwrap_err();
/// assert!(error.to_string().ends_with("  tipe:email:send\n  ^^^^"));
/// # Ok::<(), asynq_core::inspector::FilterError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

impl Filter {
    /// Whether all tasks fit, as nothing is asked of them.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The names that words may have, for who is to be helped with writing them: `type`, `state` and so on.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().filter(|name| !name.contains(char::is_uppercase)).chain(["is"])
    }

    /// The values that a word of this name may have, where those are few: of `state`, `has` and `is`.
    pub fn values(name: &str) -> Vec<&'static str> {
        match name {
            "state" => TaskState::ALL.map(TaskState::as_str).to_vec(),
            "has" => THINGS.map(|(name, _)| name).to_vec(),
            "is" => vec!["orphaned"],
            _ => Vec::new(),
        }
    }

    /// Whether a task fits, at this time.
    pub fn matches(&self, task: &TaskInfo, now: Timestamp) -> bool {
        let subject = Subject::new(task, now);
        self.terms.iter().all(|term| term.holds(&subject))
    }

    /// The states in which a task may fit: others need not be looked at.
    pub fn states(&self) -> impl Iterator<Item = TaskState> {
        TaskState::ALL.into_iter().filter(|state| self.terms.iter().all(|term| term.allows(*state)))
    }

    /// Whether a task of this queue may fit: others need not be looked at.
    pub fn may_match_queue(&self, queue: &str) -> bool {
        self.terms.iter().all(|term| term.allows_queue(queue))
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    /// # Errors
    ///
    /// [`FilterError`] says what is wrong, what is allowed, and where.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let terms = words(text)?.iter().map(|word| Term::new(word, text)).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), terms })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
