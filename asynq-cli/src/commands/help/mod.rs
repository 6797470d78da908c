//! What this tool tells of itself: to people, to `man`, to shells and to programs.

mod help;
mod reference;
mod tree;

pub(crate) use help::{Completions, Help, Man};
