//! Names that are made anew in each run: UUIDs, host and process, today's date.

use std::collections::HashMap;

use crate::vectors::file::{Scenario, StepClock};

/// Replaces what differs from run to run by marks that do not. Two things that differ only in a UUID which no result
/// named fall together.
#[derive(Debug)]
pub(super) struct Names {
    /// All arguments of the case: what is in them is no accident.
    given: String,
    /// UUIDs that results named, in Go's run and in ours.
    known: HashMap<String, String>,
    /// Whether dates are those of the day of the run.
    dates: bool,
}

impl Names {
    pub(super) fn new(case: &Scenario) -> Self {
        let given = case.steps.iter().filter_map(|step| step.args.as_ref()).map(|args| args.get()).collect();
        let dates = case.steps.iter().any(|step| matches!(step.clock, StepClock::Real { .. }))
            && case.fixed_unix_ns.is_none();
        Self { given, known: HashMap::new(), dates }
    }

    /// Go's run made one UUID where ours made another.
    pub(super) fn pair(&mut self, go: &str, ours: &str) -> bool {
        let both_new = [go, ours].iter().all(|text| {
            is_uuid(text.as_bytes()) && !self.given.contains(*text) && !self.known.contains_key(*text)
        });
        if both_new {
            let mark = format!("~uuid {}~", self.known.len() / 2 + 1);
            self.known.insert(go.to_owned(), mark.clone());
            self.known.insert(ours.to_owned(), mark);
        }
        both_new
    }

    /// A place, which is a key, a member or a field, or two of them with `#` between, with marks.
    pub(super) fn mark(&self, place: &str) -> String {
        place.split('#').map(|part| self.mark_part(part)).collect::<Vec<_>>().join("#")
    }

    fn mark_part(&self, text: &str) -> String {
        let mut marked = self.mark_uuids(text);
        for kind in ["asynq:servers:{", "asynq:workers:{", "asynq:schedulers:{"] {
            // What runs on this machine has a UUID, behind host and process.
            if let Some(rest) = marked.strip_prefix(kind)
                && let Some((_, after)) = rest.split_once("~}")
                && rest.contains(":~uuid")
            {
                marked = format!("{kind}~this process~}}{after}");
            }
        }
        if self.dates
            && let Some((key, date)) = marked.rsplit_once(':')
            && is_date(date.as_bytes().get(..10).unwrap_or_default())
            && (key.ends_with("}:processed") || key.ends_with("}:failed"))
        {
            marked = format!("{key}:~date~{}", date.get(10..).unwrap_or_default());
        }
        marked
    }

    fn mark_uuids(&self, text: &str) -> String {
        let mut marked = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(uuid) = rest.get(..36).filter(|part| is_uuid(part.as_bytes())) {
                marked.push_str(match self.known.get(uuid) {
                    Some(mark) => mark,
                    None if self.given.contains(uuid) => uuid,
                    None => "~uuid~",
                });
                rest = rest.get(36..).unwrap_or_default();
            } else {
                let mut chars = rest.chars();
                marked.extend(chars.next());
                rest = chars.as_str();
            }
        }
        marked
    }
}

/// Whether the bytes are a random UUID, in lower case.
fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn is_date(bytes: &[u8]) -> bool {
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
