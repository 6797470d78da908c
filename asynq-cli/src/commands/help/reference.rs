//! The reference in docs/cli.md: every command and argument.

use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Arg, Command};

use super::tree::{arguments, choices, shown, text, usage};

/// A command and all below it as Markdown.
pub(super) fn markdown(command: &Command) -> Result<String, std::fmt::Error> {
    let mut page = String::new();
    write(command, &mut page)?;
    Ok(page)
}

fn write(command: &Command, page: &mut String) -> std::fmt::Result {
    writeln!(page, "# The command line\n")?;
    writeln!(page, "<!-- Written by `cargo xtask cli-docs` from the definitions of the commands. -->\n")?;
    writeln!(page, "{}\n\n```text\n{}\n```\n", sentence(command.get_about()), usage(command))?;
    if let Some(more) = command.get_after_help() {
        writeln!(page, "{more}\n")?;
    }
    writeln!(page, "## Commands\n")?;
    for command in shown(command) {
        list(command, command.get_name(), page)?;
    }
    writeln!(page, "\n## Options of every command\n")?;
    let mut headings: Vec<&str> = Vec::new();
    for heading in arguments(command, true).filter_map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        writeln!(page, "### {heading}\n")?;
        let of_heading = arguments(command, true).filter(|arg| arg.get_help_heading() == Some(heading));
        table(of_heading, page)?;
    }
    for command in shown(command) {
        section(command, command.get_name(), page)?;
    }
    Ok(())
}

/// A line for each command that does something.
fn list(command: &Command, path: &str, page: &mut String) -> std::fmt::Result {
    if does_something(command) {
        writeln!(page, "- [`{path}`](#{}): {}", anchor(path), sentence(command.get_about()))?;
    }
    shown(command).try_for_each(|below| list(below, &format!("{path} {}", below.get_name()), page))
}

/// Whether it is more than a name for those below it.
fn does_something(command: &Command) -> bool {
    !command.is_subcommand_required_set()
}

fn section(command: &Command, path: &str, page: &mut String) -> std::fmt::Result {
    if does_something(command) {
        described(command, path, page)?;
    }
    shown(command).try_for_each(|below| section(below, &format!("{path} {}", below.get_name()), page))
}

fn described(command: &Command, path: &str, page: &mut String) -> std::fmt::Result {
    let about = text(command.get_long_about());
    let about = if about.is_empty() { sentence(command.get_about()) } else { about };
    writeln!(page, "## {path}\n\n{about}")?;
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        writeln!(page, "\nAlso: {}.", aliases.join(", "))?;
    }
    writeln!(page, "\n```text\n{}\n```\n", usage(command))?;
    if arguments(command, false).next().is_some() {
        table(arguments(command, false), page)?;
    }
    Ok(())
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>, page: &mut String) -> std::fmt::Result {
    writeln!(page, "| argument | meaning |\n|---|---|")?;
    for arg in arguments {
        writeln!(page, "| {} | {} |", spelled(arg), meaning(arg))?;
    }
    writeln!(page)
}

fn spelled(arg: &Arg) -> String {
    let mut names = Vec::new();
    names.extend(arg.get_short().map(|short| format!("`-{short}`")));
    names.extend(arg.get_long().map(|long| format!("`--{long}`")));
    names.extend(arg.get_visible_aliases().unwrap_or_default().iter().map(|alias| format!("`--{alias}`")));
    let names = names.join(", ");
    if !arg.get_action().takes_values() {
        return names;
    }
    let value = arg.get_value_names().into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
    let value = format!("`{}`", value.join(" "));
    if names.is_empty() { value } else { format!("{names} {value}") }
}

fn meaning(arg: &Arg) -> String {
    let mut parts = vec![sentence(arg.get_long_help().or_else(|| arg.get_help()))];
    let choices = choices(arg);
    if !choices.is_empty() {
        let choices: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        parts.push(format!("One of {}.", choices.join(", ")));
    }
    if let (true, Some(default)) = (arg.get_action().takes_values(), arg.get_default_values().first()) {
        parts.push(format!("Default: `{}`.", default.to_string_lossy()));
    }
    parts.extend(arg.get_env().map(|variable| format!("Also `{}`.", variable.to_string_lossy())));
    parts.join(" ").replace('|', "\\|")
}

/// A help text as a sentence of one line: clap takes the dot away.
fn sentence(help: Option<&StyledStr>) -> String {
    let line = text(help).replace('\n', " ");
    if line.ends_with(['.', ':']) { line } else { format!("{line}.") }
}

fn anchor(path: &str) -> String {
    path.replace(' ', "-")
}
