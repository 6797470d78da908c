//! [`Finding`] and [`Diagnosis`]: what is wrong, told for each class and queue.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::fault::Fault;
use super::{Class, Severity};
use crate::task::QueueName;

/// How many subjects a finding names.
const SAMPLE: usize = 10;

/// All that is wrong of one class in one queue.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub class: Class,
    /// Where; `None` when it is about the store as a whole.
    pub queue: Option<QueueName>,
    /// How many tasks, keys or whatever it is.
    pub count: usize,
    /// The first ten of them: IDs, keys, names.
    pub sample: Vec<String>,
    /// What was seen of the first, where there is more to say than the class does; may be empty.
    pub detail: String,
}

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What is wrong: the worst first.
    pub findings: Vec<Finding>,
    /// How many tasks were looked at.
    pub tasks: usize,
    /// How many queues were.
    pub queues: usize,
    /// When that began.
    pub at: Timestamp,
}

impl Diagnosis {
    /// How bad the worst of it is; `None` when nothing is wrong.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.class.severity()).max()
    }
}

/// Findings, as they gather.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeMap<(Class, Option<QueueName>), Finding>);

impl Findings {
    pub(super) fn add(&mut self, fault: &Fault) {
        let key = (fault.class(), fault.queue().cloned());
        let finding = self.0.entry(key).or_insert_with(|| Finding {
            class: fault.class(),
            queue: fault.queue().cloned(),
            count: 0,
            sample: Vec::new(),
            detail: fault.detail(),
        });
        finding.count += 1;
        if finding.sample.len() < SAMPLE {
            finding.sample.push(fault.subject());
        }
    }

    /// The worst first.
    pub(super) fn into_sorted(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.0.into_values().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.class.severity()));
        findings
    }
}
