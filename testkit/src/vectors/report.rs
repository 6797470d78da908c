//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;

/// How many cases of a suite came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As Go.
    pub passed: usize,
    /// Other than Go, as listed.
    pub listed: usize,
    /// Other than Go.
    pub failed: usize,
}

/// What a run came to. Its text is a table of suites, and after it the rows of the list that are out of date.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By suite.
    pub suites: BTreeMap<String, Tally>,
    /// Rows of `differences.md` that no case needed.
    pub unused: Vec<String>,
}

impl Report {
    /// Whether something was run, every difference was listed, and every listed one occurred.
    pub fn is_good(&self) -> bool {
        let failed = self.suites.values().any(|tally| tally.failed > 0);
        !self.suites.is_empty() && !failed && self.unused.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<22}{:>8}{:>8}{:>8}", "suite", "passed", "listed", "failed")?;
        let mut sum = Tally::default();
        for (suite, Tally { passed, listed, failed }) in &self.suites {
            writeln!(f, "{suite:<22}{passed:>8}{listed:>8}{failed:>8}")?;
            sum.passed += passed;
            sum.listed += listed;
            sum.failed += failed;
        }
        writeln!(f, "{:<22}{:>8}{:>8}{:>8}", "", sum.passed, sum.listed, sum.failed)?;
        if self.suites.is_empty() {
            writeln!(f, "FAILED: no case has this name")?;
        }
        for row in &self.unused {
            writeln!(f, "FAILED differences.md: listed but equal: {row}")?;
        }
        Ok(())
    }
}
