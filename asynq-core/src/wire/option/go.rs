//! What Go's inspector makes of an option string.

use super::{EnqueueOption, GoTime};

/// What Go's inspector makes of an option string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoReading {
    /// It shows this option.
    Option(EnqueueOption),
    /// It leaves the option out of its list.
    Dropped,
    /// It crashes: never store such a string.
    Panics,
}

/// Reads an option string as the inspector of Go asynq v0.26.0 does.
pub fn go_readable(text: &str) -> GoReading {
    let Some((name, rest)) = text.split_once('(') else { return GoReading::Panics };
    // The first `)` of the whole string ends the argument; one before the `(` makes it empty.
    let argument = match rest.split_once(')') {
        Some((argument, _)) if !name.contains(')') => argument,
        _ => "",
    };
    // Compat: inspector.go, parseOption. These it does not know, though asynq writes them.
    let unknown = matches!(name, "TaskID" | "Group" | "Header");
    match EnqueueOption::read(name, argument, GoTime::parse_as_go) {
        Some(option) if !unknown => GoReading::Option(option),
        _ => GoReading::Dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_ends_at_the_first_parenthesis() {
        assert_eq!(go_readable("MaxRetry(3)junk"), GoReading::Option(EnqueueOption::MaxRetry(3)));
        assert_eq!(go_readable(r#"Queue("a)b")"#), GoReading::Dropped);
        assert_eq!(go_readable(")MaxRetry(3)"), GoReading::Dropped);
        assert_eq!(go_readable("MaxRetry(3"), GoReading::Dropped);
        assert_eq!(go_readable(r#"TaskID("x")"#), GoReading::Dropped);
        assert_eq!(go_readable("MaxRetry"), GoReading::Panics);
    }
}
