//! The house rules that no other tool knows: one file for each check.

mod docs;
mod file;
mod installs;
mod layers;
mod lua;
mod paths;

pub(crate) use file::{File, Finding};

/// What a check finds in one file.
type Check = fn(&File) -> Vec<Finding>;

/// Every check, by the name under which its findings are printed.
pub(crate) const CHECKS: [(&str, Check); 5] = [
    ("layers", layers::check),
    ("lua", lua::check),
    ("docs", docs::check),
    ("paths", paths::check),
    ("installs", installs::check),
];
