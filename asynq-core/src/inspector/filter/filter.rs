//! [`Filter`].

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::FilterError;
use super::syntax::words;
use super::term::{NAMES, Subject, THINGS, Term};
use crate::inspector::Masks;
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
/// | `error_kind:"dial tcp *: i/o timeout"` | whose last error is of this [kind](super::super::ErrorKind) |
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
    /// Through these it sees tasks.
    masks: Masks,
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
        let seen;
        let task = if self.masks.is_empty() {
            task
        } else {
            seen = self.masks.conceal(task);
            &seen
        };
        let subject = Subject::new(task, now);
        self.terms.iter().all(|term| term.holds(&subject))
    }

    /// The same for somebody who sees tasks through these masks: what is hidden is not found, either, so that nobody learns
    /// by asking what he is not shown.
    ///
    /// # Errors
    ///
    /// When it names a field that is hidden.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::inspector::{Filter, Mask, Masks};
    ///
    /// let masks: Masks = std::iter::once("password".parse::<Mask>()?).collect();
    /// let error = "type:login payload.user.password:x*".parse::<Filter>()?.through(&masks).unwrap_err();
    /// assert!(error.to_string().starts_with("`payload.user.password` is masked"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn through(self, masks: &Masks) -> Result<Self, FilterError> {
        for name in words(&self.text)?.into_iter().filter_map(|word| word.name) {
            let way: Vec<&str> = match (name.text.strip_prefix("payload."), name.text.strip_prefix("header."))
            {
                (Some(path), _) => path.split('.').collect(),
                (None, Some(header)) => vec![header],
                (None, None) => continue,
            };
            if masks.hides_on_way(&way) {
                let reason =
                    format!("`{}` is masked: it cannot be asked for without the right to see it", name.text);
                return Err(FilterError::new(reason, &self.text, name.place));
            }
        }
        Ok(Self { masks: masks.clone(), ..self })
    }

    /// Through what it sees tasks.
    pub(in crate::inspector) fn masks(&self) -> &Masks {
        &self.masks
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
        Ok(Self { text: text.to_owned(), terms, masks: Masks::default() })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
