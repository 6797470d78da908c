//! [`InvalidSpec`]: what is wrong with a specification.

use std::fmt;

/// What is wrong with a specification: which part, what was found, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSpec(String);

impl InvalidSpec {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for InvalidSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidSpec {}
