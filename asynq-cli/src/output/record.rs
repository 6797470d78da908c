//! [`Record`]: all about one thing.

use super::Cell;
use super::object::Object;

/// All about one thing: named values in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) cell: Cell,
    /// A text of several lines, which is shown below its heading.
    pub(crate) block: bool,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub(crate) fn field(mut self, name: &'static str, heading: &'static str, cell: Cell) -> Self {
        self.fields.push(Field { name, heading, cell, block: false });
        self
    }

    /// A text of several lines.
    #[must_use]
    pub(crate) fn block(mut self, name: &'static str, heading: &'static str, cell: Cell) -> Self {
        self.fields.push(Field { name, heading, cell, block: true });
        self
    }

    pub(super) fn object(&self) -> Object<'_> {
        Object(self.fields.iter().map(|field| (field.name, &field.cell.value)).collect())
    }
}
