//! [`Known`]: `differences.md`, the list of differences that are meant.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;

use super::Difference;

/// The differences that are meant, and what this version does not have yet: the tables of `differences.md`.
///
/// A table of four columns says suite, case, place and reason; `*` in the first three stands for anything. A table
/// of two columns says operation or suite, and reason.
#[derive(Debug, Default)]
pub struct Known {
    differences: Vec<Row<3>>,
    not_yet: Vec<Row<1>>,
}

#[derive(Debug)]
struct Row<const N: usize> {
    patterns: [String; N],
    reason: String,
    used: Cell<bool>,
}

impl<const N: usize> Row<N> {
    fn matches(&self, words: [&str; N]) -> bool {
        let matches = self.patterns.iter().zip(words).all(|(pattern, word)| glob(pattern, word));
        if matches {
            self.used.set(true);
        }
        matches
    }
}

/// What a case comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As Go.
    Passed,
    /// Not as Go, and each difference is listed: the reasons.
    Listed(BTreeSet<String>),
    /// Not as Go, and not all is listed: what is not.
    Failed(Vec<String>),
}

impl Known {
    /// Reads the tables of a file.
    pub fn read(path: &Path) -> Self {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    /// Reads the tables of a text.
    pub fn parse(text: &str) -> Self {
        let mut known = Self::default();
        let mut lines = text.lines().map(cells).peekable();
        while let Some(cells) = lines.next() {
            let is_rule = |cells: &Vec<String>| cells.iter().all(|cell| cell.starts_with("---"));
            if is_rule(&cells) || lines.peek().is_some_and(|next| !next.is_empty() && is_rule(next)) {
                continue;
            }
            match <[String; 4]>::try_from(cells) {
                Ok([suite, case, what, reason]) => {
                    let patterns = [suite, case, what];
                    known.differences.push(Row { patterns, reason, used: Cell::default() });
                }
                Err(cells) => {
                    if let Ok([what, reason]) = <[String; 2]>::try_from(cells) {
                        known.not_yet.push(Row { patterns: [what], reason, used: Cell::default() });
                    }
                }
            }
        }
        known
    }

    /// What a case comes to that differs in these places, and that needs these operations which we do not have.
    pub fn judge(
        &self,
        suite: &str,
        case: &str,
        differences: &[Difference],
        missing: &BTreeSet<String>,
    ) -> Verdict {
        let (mut reasons, mut failures) = (BTreeSet::new(), Vec::new());
        for operation in missing {
            if let Some(row) = self.not_yet.iter().find(|row| row.matches([operation])) {
                reasons.insert(format!("{operation}: {}", row.reason));
            } else {
                failures.push(format!("{operation}: neither runnable nor listed as missing"));
            }
        }
        let listed: Vec<_> = self
            .differences
            .iter()
            .filter(|row| glob(&row.patterns[0], suite) && glob(&row.patterns[1], case))
            .collect();
        for Difference { what, detail } in differences {
            // Every row that fits is used, so that none of them looks out of date.
            let fitting: Vec<_> = listed.iter().filter(|row| row.matches([suite, case, what])).collect();
            if fitting.is_empty() {
                failures.push(format!("{what}: {detail}"));
            }
            reasons.extend(fitting.into_iter().map(|row| row.reason.clone()));
        }
        if missing.is_empty() {
            let names_this = |row: &&&Row<3>| !row.patterns[1].contains('*');
            for row in listed
                .iter()
                .filter(names_this)
                .filter(|row| !differences.iter().any(|difference| glob(&row.patterns[2], &difference.what)))
            {
                failures.push(format!("{}: listed but equal", row.patterns[2]));
            }
        }
        match (failures.is_empty(), reasons.is_empty()) {
            (true, true) => Verdict::Passed,
            (true, false) => Verdict::Listed(reasons),
            (false, _) => Verdict::Failed(failures),
        }
    }

    /// The rows that no case needed.
    pub fn unused(&self) -> Vec<String> {
        let differences =
            self.differences.iter().filter(|row| !row.used.get()).map(|row| row.patterns.join(" | "));
        let not_yet = self.not_yet.iter().filter(|row| !row.used.get()).map(|row| row.patterns.join(" | "));
        differences.chain(not_yet).collect()
    }
}

/// The cells of a table's line; none for any other line. `\|` is a bar in a cell.
fn cells(line: &str) -> Vec<String> {
    let Some(row) = line.trim().strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
        return Vec::new();
    };
    row.replace("\\|", "\0").split('|').map(|cell| cell.trim().trim_matches('`').replace('\0', "|")).collect()
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "
# Heading

| suite | case | place | reason |
|---|---|---|---|
| `s` | one | `a.*` | better |
| s | * | b\\|c | also better |

| operation | reason |
|---|---|
| rdb.x | next step |
";

    fn difference(what: &str) -> Difference {
        Difference::new(what, 1, 2)
    }

    fn missing(operations: &[&str]) -> BTreeSet<String> {
        operations.iter().map(|&operation| operation.to_owned()).collect()
    }

    #[test]
    fn listed_differences_are_listed_and_others_fail() {
        let known = Known::parse(TABLES);
        assert_eq!(known.judge("s", "two", &[], &missing(&[])), Verdict::Passed);
        assert_eq!(
            known.judge("s", "one", &[difference("a.x"), difference("b|c")], &missing(&[])),
            Verdict::Listed(["better".to_owned(), "also better".to_owned()].into())
        );
        assert!(matches!(known.judge("s", "two", &[difference("a.x")], &missing(&[])), Verdict::Failed(_)));
        assert!(matches!(known.judge("s", "one", &[], &missing(&["rdb.x"])), Verdict::Listed(_)));
        assert!(matches!(known.judge("s", "one", &[], &missing(&["rdb.y"])), Verdict::Failed(_)));
    }

    #[test]
    fn a_listed_difference_must_occur() {
        let known = Known::parse(TABLES);
        assert_eq!(
            known.judge("s", "one", &[], &missing(&[])),
            Verdict::Failed(vec!["a.*: listed but equal".to_owned()])
        );
        assert_eq!(known.unused(), ["s | one | a.*", "s | * | b|c", "rdb.x"]);
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c", false),
            ("abc", "abcd", false),
            ("*b", "abc", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
