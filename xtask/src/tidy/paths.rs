//! Nothing refers to the machine it was written on.

use super::{File, Finding};

/// Spelled in pieces: this file is checked as well.
const PLACES: [&str; 4] =
    [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "tmp/wt"), concat!("..", "/shared")];

/// Faults of one file.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    file.lines_with(&PLACES, |place| format!("`{place}` is a place on somebody's machine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_found() {
        for place in PLACES {
            let file = File::new("docs/a.md", &format!("Fine.\nSee {place}x.\n"));
            assert_eq!(check(&file).iter().map(|finding| finding.brief().0).collect::<Vec<_>>(), [2]);
        }
    }

    #[test]
    fn other_paths_are_not() {
        let text = "docs/framework/a.md and ../sharing, /tmp/asynq, crate::network/roots\n";
        assert!(check(&File::new("README.md", text)).is_empty());
    }
}
