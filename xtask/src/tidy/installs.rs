//! What is installed on a machine is named in `xtask/src/packages.rs` alone.

use super::{File, Finding};

const INSTALLERS: [&str; 6] =
    ["apt-get", "apt install", "dnf install", "apk add", "pacman -S", "brew install"];

/// Faults of one file.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    if file.path.starts_with("xtask/") {
        return Vec::new();
    }
    file.lines_with(&INSTALLERS, |installer| {
        format!("`{installer}`: name the package in xtask/src/packages.rs, which installs what is missing")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_xtask_installs() {
        let text = "steps:\n  - run: sudo apt-get install -y redis-server\n";
        let findings = check(&File::new(".github/workflows/ci.yml", text));
        assert_eq!(findings.iter().map(|finding| finding.brief().0).collect::<Vec<_>>(), [2]);
        assert!(check(&File::new("xtask/src/packages.rs", text)).is_empty());
    }

    #[test]
    fn naming_a_program_is_not_installing_it() {
        assert!(check(&File::new("testkit/src/redis.rs", "Command::new(\"redis-server\")\n")).is_empty());
    }
}
