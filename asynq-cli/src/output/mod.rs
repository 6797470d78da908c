//! What commands print: rows and records, in the format that was asked for. Data goes to stdout, and nothing else does.

mod cell;
mod listing;
mod object;
mod printer;
mod record;

pub(crate) use cell::Cell;
pub(crate) use listing::{Column, Listing};
pub(crate) use printer::{Color, Format, Printer, print_line};
pub(crate) use record::Record;
