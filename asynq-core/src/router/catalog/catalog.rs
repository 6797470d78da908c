//! [`Catalog`]: the jobs of a program as data, for other programs and for comparing two versions.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::CatalogJob;
use crate::router::{DuplicateJob, Registration, registered};

/// The jobs of a program, by task type: what a producer in any language must know to send them, and what a deploy may
/// break.
///
/// As JSON it is one object:
///
/// ```json
/// { "version": 1,
///   "jobs": {
///     "email:send": {
///       "aliases": ["mail:send"],
///       "struct": "SendEmail",
///       "queue": "mail",
///       "options": { "retry": 5, "timeout": 30 },
///       "payload": { "fields": { "to": { "type": "String", "required": true } } },
///       "schedules": [],
///       "file": "src/jobs.rs",
///       "line": 7
///     } } }
/// ```
///
/// Lengths of time are in seconds, and what is not set is left out: `codec` for JSON, `version` for the first, `reads` for no
/// earlier one. With the feature `schemars` a job has a `schema`, the JSON Schema of its payload. A payload that is the encoding of one type says
/// `{ "type": "Invoice" }`. Types are written as in the source.
///
/// # Examples
///
/// Keep the catalog of what runs in production in a file, and let a test refuse what would break it:
///
/// ```
/// use asynq_core::router::Catalog;
///
/// # let file = r#"{ "version": 1, "jobs": {} }"#;
/// let deployed: Catalog = file.parse()?;
/// let broken: Vec<_> =
///     deployed.diff(&Catalog::registered()?).into_iter().filter(|change| change.is_breaking()).collect();
/// assert!(broken.is_empty(), "{broken:#?}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Catalog {
    /// The version of this form: 1.
    pub version: u32,
    /// The jobs, by task type.
    pub jobs: BTreeMap<String, CatalogJob>,
}

impl Catalog {
    /// The catalog of all jobs that are registered in this program.
    ///
    /// # Errors
    ///
    /// [`DuplicateJob`] when two have the same task type.
    pub fn registered() -> Result<Self, DuplicateJob> {
        Ok(Self::of(registered()?))
    }

    /// The catalog of these jobs.
    pub fn of(jobs: impl IntoIterator<Item = &'static Registration>) -> Self {
        let jobs = jobs.into_iter().map(|job| (job.name.to_owned(), CatalogJob::of(job))).collect();
        Self { version: 1, jobs }
    }
}

/// The JSON form.
impl fmt::Display for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(self).map_err(|_never| fmt::Error)?;
        f.write_str(&json)
    }
}

/// From the JSON form.
impl std::str::FromStr for Catalog {
    type Err = InvalidCatalog;

    fn from_str(json: &str) -> Result<Self, InvalidCatalog> {
        serde_json::from_str(json).map_err(InvalidCatalog)
    }
}

/// A text is not the JSON of a [`Catalog`]; the cause, with its line, is the source.
#[derive(Debug, thiserror::Error)]
#[error("not a catalog of jobs")]
pub struct InvalidCatalog(#[source] serde_json::Error);

/// The catalog of all jobs that are registered in this program, as JSON.
///
/// # Errors
///
/// [`DuplicateJob`] when two have the same task type.
pub fn export_catalog() -> Result<String, DuplicateJob> {
    Ok(Catalog::registered()?.to_string())
}
