//! [`List`]: rows of one kind, in an order, of which some are seen and one is chosen.

use std::cmp::Ordering;

use jiff::Timestamp;

/// What a row is known by, while it is read again and again.
pub(super) trait Row {
    fn id(&self) -> String;
}

/// A column: its heading, what stands in it, and what it is sorted by.
#[derive(Debug)]
pub(super) struct Column<T: 'static> {
    pub(super) heading: &'static str,
    /// Numbers stand at the right.
    pub(super) right: bool,
    /// Whether it takes the room that others leave, and gives way first where there is none.
    pub(super) grows: bool,
    pub(super) text: fn(&T, Timestamp) -> String,
    pub(super) key: fn(&T) -> Key,
}

/// What rows are sorted by.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(super) enum Key {
    Nothing,
    Number(f64),
    Text(String),
}

/// By which column rows are sorted; in the order in which they are stored when by none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sort {
    pub(super) column: Option<usize>,
    pub(super) falling: bool,
}

/// Rows of one kind.
#[derive(Debug)]
pub(super) struct List<T: 'static> {
    pub(super) columns: &'static [Column<T>],
    rows: Vec<T>,
    /// Places of the rows that are shown, in their order.
    order: Vec<usize>,
    pub(super) sort: Sort,
    /// Only rows whose IDs contain this, in any case.
    pub(super) part: String,
    cursor: usize,
    /// The first row that is seen.
    top: usize,
}

impl<T: Row> List<T> {
    pub(super) fn new(columns: &'static [Column<T>]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            order: Vec::new(),
            sort: Sort::default(),
            part: String::new(),
            cursor: 0,
            top: 0,
        }
    }

    /// Takes new rows. The cursor stays with the row that it is on, wherever that is now.
    pub(super) fn replace(&mut self, rows: Vec<T>) {
        let chosen = self.chosen().map(Row::id);
        self.rows = rows;
        self.arrange();
        if let Some(place) = chosen.and_then(|id| self.shown().position(|row| row.id() == id)) {
            self.cursor = place;
        }
        self.keep_inside();
    }

    /// Shows other columns, in the order of the store.
    pub(super) fn show(&mut self, columns: &'static [Column<T>]) {
        if !std::ptr::eq(self.columns, columns) {
            self.columns = columns;
            self.sort = Sort::default();
            self.arrange();
        }
    }

    /// Works out again which rows are shown, and in which order.
    pub(super) fn arrange(&mut self) {
        let part = self.part.to_lowercase();
        let fits = |row: &T| part.is_empty() || row.id().to_lowercase().contains(&part);
        self.order = (0..self.rows.len()).filter(|place| self.rows.get(*place).is_some_and(fits)).collect();
        if let Some(column) = self.sort.column.and_then(|column| self.columns.get(column)) {
            let mut keyed: Vec<(Key, usize)> = self
                .order
                .iter()
                .filter_map(|place| Some(((column.key)(self.rows.get(*place)?), *place)))
                .collect();
            keyed.sort_by(|one, two| one.0.partial_cmp(&two.0).unwrap_or(Ordering::Equal));
            if self.sort.falling {
                keyed.reverse();
            }
            self.order = keyed.into_iter().map(|(_, place)| place).collect();
        }
        self.keep_inside();
    }

    /// Sorts by the next column; behind the last one, as they are stored.
    pub(super) fn sort_by_next(&mut self) {
        let next = self.sort.column.map_or(0, |column| column + 1);
        self.sort.column = Some(next).filter(|next| *next < self.columns.len());
        self.arrange();
    }

    /// Turns the order round.
    pub(super) fn turn(&mut self) {
        self.sort.falling = !self.sort.falling;
        if self.sort.column.is_none() {
            self.sort.column = Some(0);
        }
        self.arrange();
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// How many there are, shown or not.
    pub(super) fn all(&self) -> &[T] {
        &self.rows
    }

    /// The rows that are shown, in their order.
    pub(super) fn shown(&self) -> impl Iterator<Item = &T> {
        self.order.iter().filter_map(|place| self.rows.get(*place))
    }

    /// Those that are seen in a window of this height, each with its place.
    pub(super) fn seen(&self, height: usize) -> impl Iterator<Item = (usize, &T)> {
        self.shown().enumerate().skip(self.top).take(height)
    }

    /// The row on which the cursor is.
    pub(super) fn chosen(&self) -> Option<&T> {
        self.rows.get(*self.order.get(self.cursor)?)
    }

    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Moves by one row, round and round.
    pub(super) fn step(&mut self, down: bool) {
        let last = self.len().saturating_sub(1);
        self.cursor = match (down, self.cursor) {
            (true, at) if at >= last => 0,
            (true, at) => at + 1,
            (false, 0) => last,
            (false, at) => at - 1,
        };
    }

    /// Moves by so many rows, to the ends at most.
    pub(super) fn jump(&mut self, rows: isize) {
        self.cursor = self.cursor.saturating_add_signed(rows);
        self.keep_inside();
    }

    /// Moves to the first row, or to the last.
    pub(super) fn end(&mut self, last: bool) {
        self.cursor = if last { self.len().saturating_sub(1) } else { 0 };
    }

    /// Moves to the row that is seen so many lines below the heading; whether there is one.
    pub(super) fn point(&mut self, line: usize) -> bool {
        let place = self.top + line;
        if place < self.len() {
            self.cursor = place;
        }
        place < self.len()
    }

    /// Moves the window, of this height, to where the cursor is.
    pub(super) fn fit(&mut self, height: usize) {
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height));
        self.top = self.top.min(self.len().saturating_sub(height.max(1)));
    }

    fn keep_inside(&mut self) {
        self.cursor = self.cursor.min(self.len().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Row for &'static str {
        fn id(&self) -> String {
            (*self).to_owned()
        }
    }

    const COLUMNS: &[Column<&'static str>] = &[Column {
        heading: "Name",
        right: false,
        grows: true,
        text: |row, _| (*row).to_owned(),
        key: |row| Key::Text((*row).to_owned()),
    }];

    #[test]
    fn the_cursor_stays_with_its_row() {
        let mut list = List::new(COLUMNS);
        list.replace(vec!["b", "c", "d"]);
        list.step(true);
        list.replace(vec!["a", "b", "c", "d"]);
        assert_eq!(list.chosen(), Some(&"c"));
        list.sort = Sort { column: Some(0), falling: true };
        list.replace(vec!["a", "b", "c", "d"]);
        assert_eq!((list.chosen(), list.shown().next()), (Some(&"c"), Some(&"d")));
        list.replace(vec!["a"]);
        assert_eq!(list.chosen(), Some(&"a"));
        list.replace(vec![]);
        assert_eq!(list.chosen(), None);
    }

    #[test]
    fn the_window_follows_the_cursor() {
        let mut list = List::new(COLUMNS);
        list.replace(vec!["a", "b", "c", "d", "e"]);
        list.step(false);
        list.fit(2);
        assert_eq!(list.seen(2).map(|(place, row)| (place, *row)).collect::<Vec<_>>(), [(3, "d"), (4, "e")]);
        list.step(true);
        list.fit(2);
        assert_eq!((list.top, list.cursor()), (0, 0));
        list.part = "D".to_owned();
        list.arrange();
        assert_eq!(list.shown().collect::<Vec<_>>(), [&"d"]);
        assert!(list.point(0) && !list.point(1));
    }
}
