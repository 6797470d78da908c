//! The house rules that no other tool knows: one file for each check.

mod defects;
mod docs;
mod file;
mod installs;
mod layers;
mod lua;
mod paths;

pub(crate) use file::{File, Finding};

/// What a check finds in all files.
type Check = fn(&[File]) -> Vec<Finding>;

/// Every check, by the name under which its findings are printed.
pub(crate) const CHECKS: [(&str, Check); 6] = [
    ("layers", |files| each(files, layers::check)),
    ("lua", |files| each(files, lua::check)),
    ("docs", |files| each(files, docs::check)),
    ("paths", |files| each(files, paths::check)),
    ("installs", |files| each(files, installs::check)),
    ("defects", defects::check),
];

fn each(files: &[File], check: fn(&File) -> Vec<Finding>) -> Vec<Finding> {
    files.iter().flat_map(check).collect()
}
