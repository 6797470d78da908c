//! [`Fields`]: what a form or a query holds, names with values; some more than once.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;

use crate::problem::Problem;

/// What a form or a query holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of a field that is there and not blank.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.trim().is_empty())
    }

    /// The value of a field as it was sent.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box is checked.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| !matches!(value, "" | "0" | "false"))
    }

    /// The value of a field, read.
    pub(crate) fn parsed<T>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T: FromStr<Err: Display>,
    {
        self.read(name, str::parse::<T>)
    }

    /// The same, by this function.
    pub(crate) fn read<T, E: Display>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let value = self.text(name).map(str::trim);
        value.map(read).transpose().map_err(|error| Problem::invalid(format!("{name}: {error}")))
    }

    /// Refuses names that nobody knows: in an API, what is misspelled is an error.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let names: BTreeSet<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        match names.into_iter().find(|name| !known.contains(name)) {
            Some(unknown) => {
                let known = known.join(", ");
                Err(Problem::invalid(format!("`{unknown}` is no parameter here; known are: {known}")))
            }
            None => Ok(()),
        }
    }
}
