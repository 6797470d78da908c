//! A command, all below it and their arguments, for programs.

use clap::{Arg, Command};
use serde_json::{Value, json};

/// A command and all below it. What every command takes is told once, at the top.
pub(super) fn tree(command: &Command) -> Value {
    let is_top = command.get_name() == "asynq";
    let arguments: Vec<Value> = arguments(command, is_top).map(argument).collect();
    let commands: Vec<Value> = shown(command).map(tree).collect();
    let mut tree = json!({
        "name": command.get_name(),
        "about": text(command.get_about()),
        "usage": usage(command),
        "aliases": command.get_visible_aliases().collect::<Vec<_>>(),
        "arguments": arguments,
        "commands": commands,
    });
    if let (Value::Object(fields), Some(more)) = (&mut tree, command.get_after_help()) {
        fields.insert("notes".to_owned(), more.to_string().into());
    }
    tree
}

/// The commands below that are not hidden.
pub(super) fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

/// The arguments that are not hidden; with those that every command takes, or without.
pub(super) fn arguments(command: &Command, with_global: bool) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str()))
        .filter(move |arg| with_global || !arg.is_global_set())
}

/// How the command is called, in one line.
pub(super) fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    usage.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn text(styled: Option<&clap::builder::StyledStr>) -> String {
    styled.map(ToString::to_string).unwrap_or_default()
}

/// The values from which one must be chosen.
pub(super) fn choices(arg: &Arg) -> Vec<String> {
    if !arg.get_action().takes_values() {
        return Vec::new();
    }
    arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
}

fn argument(arg: &Arg) -> Value {
    let values: Vec<String> = arg.get_value_names().into_iter().flatten().map(ToString::to_string).collect();
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    json!({
        "name": arg.get_id().as_str(),
        "long": arg.get_long(),
        "short": arg.get_short(),
        "aliases": arg.get_visible_aliases().unwrap_or_default(),
        "help": text(arg.get_long_help().or_else(|| arg.get_help())),
        "required": arg.is_required_set(),
        "repeated": matches!(arg.get_action(), clap::ArgAction::Append),
        "value": if arg.get_action().takes_values() { values } else { Vec::new() },
        "choices": choices(arg),
        "default": if arg.get_action().takes_values() { defaults } else { Vec::new() },
    })
}
