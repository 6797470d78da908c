//! What commands print: rows and records, in the format that was asked for. Data goes to stdout, and nothing else does.

mod cell;
mod listing;
mod object;
mod printer;
mod progress;
mod record;
mod sink;

pub(crate) use cell::Cell;
pub(crate) use listing::{Column, Listing};
pub(crate) use printer::{Color, Format, Printer};
pub(crate) use progress::Progress;
pub(crate) use record::Record;
pub(crate) use sink::Sink;
