//! Every source file opens with what it is for.

use super::{File, Finding};

/// Faults of one file.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let is_source = file.is_rust() && file.path.split('/').any(|part| part == "src");
    let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if is_source && !first.starts_with("//!") {
        vec![file.finding(1, "say with `//!` what this module is for, and what it leaves to others")]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_open_with_their_purpose() {
        assert!(check(&File::new("asynq-core/src/task/id.rs", "//! IDs.\n\nuse std::fmt;\n")).is_empty());
        assert!(check(&File::new("src/lib.rs", "\n//! The facade.\n")).is_empty());
        for text in ["", "use std::fmt;\n//! IDs.\n", "// IDs.\n", "/// IDs.\npub struct Id;\n"] {
            assert_eq!(check(&File::new("asynq-core/src/task/id.rs", text)).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn tests_and_other_files_need_none() {
        for path in ["tests/it/main.rs", "trybuild/fail/a.rs", "asynq-core/src/broker/redis/scripts/a.lua"] {
            assert!(check(&File::new(path, "fn main() {}\n")).is_empty(), "{path}");
        }
    }
}
