//! [`Settings`]: what a mode is given.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

/// All names that there are.
const NAMES: [&str; 15] = [
    "tasks",
    "callers",
    "batch",
    "slots",
    "no_prefetch",
    "per_second",
    "delay_ms",
    "sleep_ms",
    "spread_ms",
    "bytes",
    "queues",
    "retention",
    "unique",
    "group",
    "max_size",
];

/// Numbers by name. One that is not given is zero.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, usize>);

impl Settings {
    /// Reads `name=value` arguments.
    ///
    /// # Errors
    ///
    /// Where one is not of this form, or has a name that nobody looks for.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut settings = BTreeMap::new();
        for argument in arguments {
            let (name, value) =
                argument.split_once('=').with_context(|| format!("`{argument}` is not name=value"))?;
            if !NAMES.contains(&name) {
                bail!("there is no setting `{name}`: {}", NAMES.join(", "));
            }
            let value = value.parse().with_context(|| format!("`{argument}` is not a number"))?;
            settings.insert(name.to_owned(), value);
        }
        Ok(Self(settings))
    }

    /// A setting, or zero.
    #[must_use]
    pub fn get(&self, name: &str) -> usize {
        debug_assert!(NAMES.contains(&name), "{name}");
        self.0.get(name).copied().unwrap_or(0)
    }

    /// A setting that must be given.
    ///
    /// # Errors
    ///
    /// Where it is not, or is zero.
    pub fn need(&self, name: &str) -> Result<usize> {
        let value = self.get(name);
        ensure!(value > 0, "`{name}` is missing");
        Ok(value)
    }

    /// Whether a setting that is on or off is on.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name) > 0
    }

    /// All queues.
    #[must_use]
    pub fn queues(&self) -> Vec<String> {
        queue_names(self.get("queues"))
    }
}

/// The names of so many queues.
#[must_use]
pub fn queue_names(queues: usize) -> Vec<String> {
    (0..queues.max(1)).map(|index| queue_name(queues, index)).collect()
}

/// The queue of a task: tasks go round over so many queues.
#[must_use]
pub fn queue_name(queues: usize, index: usize) -> String {
    if queues < 2 { "default".to_owned() } else { format!("q{}", index % queues) }
}
