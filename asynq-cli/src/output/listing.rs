//! [`Listing`]: rows of the same kind.

use serde_json::Value;

use super::Cell;
use super::object::Object;
use crate::failure::Failure;

/// A column: its name for programs, its heading for people, and whether only the wide table has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) wide: bool,
}

impl Column {
    pub(crate) const fn new(name: &'static str, heading: &'static str) -> Self {
        Self { name, heading, wide: false }
    }

    /// One that only the wide table has, and every format for programs.
    pub(crate) const fn wide(name: &'static str, heading: &'static str) -> Self {
        Self { name, heading, wide: true }
    }
}

/// Rows of the same kind; the first column says which is which.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What people are told where there are no rows.
    pub(crate) nothing: String,
}

impl Listing {
    pub(crate) fn new(columns: &[Column], nothing: impl Into<String>) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), nothing: nothing.into() }
    }

    /// Adds a row: one cell for each column.
    pub(crate) fn push<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell for each column");
        self.rows.push(cells.into());
    }

    /// The same rows with these columns only, in this order.
    pub(crate) fn choose(&self, names: &[String]) -> Result<Self, Failure> {
        let mut places = Vec::new();
        for name in names {
            let place = self.columns.iter().position(|column| column.name == name.trim());
            places.push(place.ok_or_else(|| {
                let known = self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
                Failure::usage(format!("there is no column `{name}` here; known are {known}"))
            })?);
        }
        let columns = places.iter().filter_map(|place| self.columns.get(*place).copied());
        let columns = columns.map(|column| Column { wide: false, ..column }).collect();
        let chosen = |row: &Vec<Cell>| places.iter().filter_map(|place| row.get(*place).cloned()).collect();
        Ok(Self { columns, rows: self.rows.iter().map(chosen).collect(), nothing: self.nothing.clone() })
    }

    /// The rows as JSON, for a field of something larger.
    pub(crate) fn values(&self) -> Value {
        let row = |row: &Vec<Cell>| {
            let fields = self.columns.iter().zip(row);
            Value::Object(fields.map(|(column, cell)| (column.name.to_owned(), cell.value.clone())).collect())
        };
        self.rows.iter().map(row).collect()
    }

    /// The rows as objects.
    pub(super) fn objects(&self) -> Vec<Object<'_>> {
        let object = |row| {
            Object(
                self.columns
                    .iter()
                    .zip(row)
                    .map(|(column, cell): (_, &Cell)| (column.name, &cell.value))
                    .collect(),
            )
        };
        self.rows.iter().map(object).collect()
    }
}
