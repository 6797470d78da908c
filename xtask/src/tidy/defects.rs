//! Each defect of Go that the guide for its users lists has the test that it names.

use super::{File, Finding};

/// The guide, and how many defects it tells of.
const GUIDE: &str = "docs/from-go.md";
const DEFECTS: usize = 34;

/// Faults of the guide: a defect left out, a test that is not there.
///
/// A row is `| B7 | the defect | here | tests |`, where the tests stand between backticks; or, where there can be
/// none, `none: ` and the reason.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let Some(guide) = files.iter().find(|file| file.path == GUIDE) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut expected = 1;
    for (index, line) in guide.text.lines().enumerate() {
        let Some((number, tests)) = row(line) else { continue };
        let line = index + 1;
        if number != expected {
            findings.push(guide.finding(line, format!("B{expected} is missing before B{number}")));
        }
        expected = number + 1;
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && !tests.trim_start().starts_with("none: ") {
            let message = format!("B{number} names no test, nor says `none: ` and why");
            findings.push(guide.finding(line, message));
        }
        for name in names {
            let function = format!("fn {name}(");
            if !files.iter().any(|file| file.is_rust() && file.text.contains(&function)) {
                findings.push(guide.finding(line, format!("there is no test `{name}`")));
            }
        }
    }
    if expected <= DEFECTS {
        findings.push(guide.finding(1, format!("B{expected} to B{DEFECTS} are missing")));
    }
    findings
}

/// The number and the tests of a row that is about a defect.
fn row(line: &str) -> Option<(usize, &str)> {
    let cells = line.strip_prefix("| B")?.strip_suffix(" |")?;
    let (number, rest) = cells.split_once(" | ")?;
    let (_, tests) = rest.rsplit_once(" | ")?;
    Some((number.parse().ok()?, tests))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_at_fault(rows: &str) -> Vec<usize> {
        let others =
            (4..=DEFECTS).map(|number| format!("| B{number} | loses a task | does not | `b_any` |\n"));
        let text: String = std::iter::once(rows.to_owned()).chain(others).collect();
        let tests = File::new("tests/it/a.rs", "async fn b1_lost() {}\nfn b_any() {}\n");
        check(&[File::new(GUIDE, &text), tests]).iter().map(|finding| finding.brief().0).collect()
    }

    #[test]
    fn every_defect_has_a_row_with_its_tests() {
        let rows = "# Title\n| B1 | x | y | `b1_lost`, `b_any` |\n| B2 | x | y | none: no such thing here |\n\
                    | B3 | x | y | `b_any` |\n";
        assert_eq!(lines_at_fault(rows), []);
        assert_eq!(lines_at_fault(&rows.replace("b1_lost", "b1_gone")), [2]);
        assert_eq!(lines_at_fault(&rows.replace("none: ", "")), [3]);
        assert_eq!(lines_at_fault(&rows.replace("| B2 | x", "| x")), [4]);
    }

    #[test]
    fn the_last_ones_count() {
        let guide = File::new(GUIDE, "| B1 | x | y | none: z |\n");
        assert_eq!(check(&[guide]).len(), 1);
    }
}
