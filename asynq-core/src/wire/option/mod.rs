//! Option strings: how a scheduler entry lists the options of its tasks, as Go's `Option.String()` writes them.
//!
//! There are two readings. [`EnqueueOption`]'s own takes everything that Go or we write. [`go_readable`] tells what
//! Go's inspector makes of a string: it knows fewer options, ends an argument at the first `)`, and crashes on a
//! string that has no `(`.

mod duration;
mod go;
mod option;
mod quote;
mod time;

pub use duration::{GoDuration, InvalidDuration};
pub use go::{GoReading, go_readable};
pub use option::{EnqueueOption, InvalidOptionString};
pub use quote::GoString;
pub use time::GoTime;
