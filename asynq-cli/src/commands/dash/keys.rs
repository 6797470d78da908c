//! Every key: where it counts, what it does, and what the help says of it. What a key does is looked up in the table
//! from which the help is made, so the help cannot be wrong.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Focus {
    Overview,
    Queues,
    Tasks,
    /// The groups of a queue, of which one is to be chosen.
    Groups,
    Servers,
    Schedulers,
    Metrics,
    Redis,
    /// All about one task.
    Task,
    Help,
    /// A question that is answered with yes or no.
    Confirm,
    /// A line that is being written.
    Prompt,
    /// The same, and what of all that can be done fits it.
    Palette,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Show(usize),
    NextTab,
    PreviousTab,
    OtherPane,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Back,
    Quit,
    QuitAtOnce,
    NextState,
    PreviousState,
    NextPage,
    PreviousPage,
    AllQueues,
    Filter,
    Sort,
    Turn,
    Select,
    SelectShown,
    SelectFitting,
    Run,
    Archive,
    Delete,
    Cancel,
    Edit,
    Pause,
    Copy,
    Browse,
    Refresh,
    Slower,
    Faster,
    Freeze,
    Palette,
    Help,
    Redraw,
    Suspend,
    Yes,
    No,
    Accept,
    Leave,
    Left,
    Right,
    Start,
    End,
    EraseLeft,
    EraseRight,
    EraseWord,
    EraseLine,
}

/// What some keys do in some places.
#[derive(Debug)]
pub(super) struct Binding {
    /// What the help puts it under.
    pub(super) section: &'static str,
    /// Their names, as [`name`] gives them.
    pub(super) keys: &'static [&'static str],
    pub(super) at: &'static [Focus],
    pub(super) command: Command,
    /// What the help says.
    pub(super) help: &'static str,
    /// Whether it changes what is stored: not with `--read-only`.
    pub(super) changes: bool,
}

use Focus::{
    Confirm, Groups, Help, Metrics, Overview, Palette, Prompt, Queues, Redis, Schedulers, Servers, Task,
    Tasks,
};

const TABS: &[Focus] = &[Overview, Queues, Tasks, Groups, Servers, Schedulers, Metrics, Redis];
const BESIDE_TASKS: &[Focus] = &[Overview, Queues, Servers, Schedulers, Metrics, Redis];
const LISTS: &[Focus] = &[Queues, Tasks, Groups, Servers, Schedulers, Metrics];
const MOVING: &[Focus] = &[Queues, Tasks, Groups, Servers, Schedulers, Metrics, Redis, Task, Help];
const READING: &[Focus] = &[Overview, Queues, Tasks, Groups, Servers, Schedulers, Metrics, Redis, Task];
const ANYWHERE: &[Focus] = &[
    Overview, Queues, Tasks, Groups, Servers, Schedulers, Metrics, Redis, Task, Help, Confirm, Prompt,
    Palette,
];
const LINES: &[Focus] = &[Prompt, Palette];

const fn bind(
    section: &'static str,
    keys: &'static [&'static str],
    at: &'static [Focus],
    command: Command,
    help: &'static str,
) -> Binding {
    Binding { section, keys, at, command, help, changes: false }
}

const fn change(
    keys: &'static [&'static str],
    at: &'static [Focus],
    command: Command,
    help: &'static str,
) -> Binding {
    Binding { section: "Changes", keys, at, command, help, changes: true }
}

/// Every key. Of several bindings of a key in one place, the first counts.
pub(super) const BINDINGS: &[Binding] = &[
    bind("Screens", &["1"], TABS, Command::Show(0), "overview"),
    bind("Screens", &["2"], TABS, Command::Show(1), "queues"),
    bind("Screens", &["3"], TABS, Command::Show(2), "tasks"),
    bind("Screens", &["4"], TABS, Command::Show(3), "servers and their workers"),
    bind("Screens", &["5"], TABS, Command::Show(4), "schedulers and what they enqueued"),
    bind("Screens", &["6"], TABS, Command::Show(5), "metrics"),
    bind("Screens", &["7"], TABS, Command::Show(6), "Redis"),
    bind("Screens", &["←", "h"], BESIDE_TASKS, Command::PreviousTab, "the screen before; not on tasks"),
    bind("Screens", &["→", "l"], BESIDE_TASKS, Command::NextTab, "the next screen; not on tasks"),
    bind("Screens", &["Tab", "Shift+Tab"], &[Servers, Schedulers], Command::OtherPane, "the other list"),
    bind("Moving", &["↓", "j"], MOVING, Command::Down, "down"),
    bind("Moving", &["↑", "k"], MOVING, Command::Up, "up"),
    bind("Moving", &["PgDn", "Ctrl+D"], MOVING, Command::PageDown, "down by a screen"),
    bind("Moving", &["PgUp", "Ctrl+U"], MOVING, Command::PageUp, "up by a screen"),
    bind("Moving", &["g", "Home"], MOVING, Command::Top, "to the top"),
    bind("Moving", &["G", "End"], MOVING, Command::Bottom, "to the bottom"),
    bind("Moving", &["Enter"], LISTS, Command::Open, "open: a queue's tasks, a group, a task"),
    bind(
        "Moving",
        &["Esc", "q"],
        &[Tasks, Groups, Task, Help],
        Command::Back,
        "back: from a task, a group, a filter, the tasks",
    ),
    bind("Moving", &["Esc", "q"], BESIDE_TASKS, Command::Quit, "quit: from any other screen"),
    bind("Moving", &["Ctrl+C"], ANYWHERE, Command::QuitAtOnce, "quit, from anywhere"),
    bind("Tasks", &["←", "h"], &[Tasks, Groups], Command::PreviousState, "the state before"),
    bind("Tasks", &["→", "l"], &[Tasks, Groups], Command::NextState, "the next state"),
    bind("Tasks", &["n"], &[Tasks, Task], Command::NextPage, "the next page"),
    bind("Tasks", &["p"], &[Tasks, Task], Command::PreviousPage, "the page before"),
    bind("Tasks", &["0"], &[Tasks, Groups], Command::AllQueues, "the tasks of all queues"),
    bind(
        "Tasks",
        &["/"],
        &[Queues, Tasks, Groups, Metrics],
        Command::Filter,
        "filter: tasks by the language of `--filter`, queues and groups by a part of the name",
    ),
    bind("Lists", &["s"], LISTS, Command::Sort, "sort by the next column; then as they are stored"),
    bind("Lists", &["S"], LISTS, Command::Turn, "turn the order round"),
    bind("Lists", &["Space", "x"], &[Queues, Tasks], Command::Select, "select, or no longer"),
    bind("Lists", &["A"], &[Queues, Tasks], Command::SelectShown, "select all that are shown, or none"),
    bind("Lists", &["*"], &[Tasks], Command::SelectFitting, "select all that fit, on every page"),
    bind("Lists", &["y"], &[Queues, Tasks, Groups, Servers, Schedulers, Task], Command::Copy, "copy the ID"),
    bind("Lists", &["o"], READING, Command::Browse, "open it in the Web UI"),
    change(&["R"], &[Tasks, Task], Command::Run, "run tasks now"),
    change(&["K"], &[Tasks, Task], Command::Archive, "archive tasks"),
    change(&["D"], &[Tasks, Task, Queues], Command::Delete, "delete tasks, or a queue"),
    change(&["C"], &[Tasks, Task, Servers], Command::Cancel, "cancel tasks that are being run"),
    change(&["E"], &[Tasks, Task], Command::Edit, "change a task's payload in $VISUAL or $EDITOR"),
    change(
        &["P"],
        &[Queues, Tasks, Groups, Schedulers],
        Command::Pause,
        "pause queues or a schedule, or resume them",
    ),
    bind("Dashboard", &["r"], READING, Command::Refresh, "read everything again now"),
    bind("Dashboard", &["+", "="], TABS, Command::Slower, "read less often"),
    bind("Dashboard", &["-"], TABS, Command::Faster, "read more often"),
    bind("Dashboard", &["Z"], READING, Command::Freeze, "freeze what is shown, or go on"),
    bind("Dashboard", &[":"], READING, Command::Palette, "find a command or a queue by its name"),
    bind("Dashboard", &["?"], READING, Command::Help, "this help"),
    bind("Dashboard", &["?"], &[Help], Command::Back, "back from the help"),
    bind("Dashboard", &["Ctrl+L"], ANYWHERE, Command::Redraw, "draw the screen anew"),
    bind("Dashboard", &["Ctrl+Z"], ANYWHERE, Command::Suspend, "to the shell; `fg` comes back"),
    bind("Questions", &["y", "Y"], &[Confirm], Command::Yes, "yes"),
    bind("Questions", &["n", "N", "Esc", "q", "Enter"], &[Confirm], Command::No, "no"),
    bind("Lines", &["Enter"], LINES, Command::Accept, "accept"),
    bind("Lines", &["Esc"], LINES, Command::Leave, "leave it"),
    bind("Lines", &["↓", "Tab"], &[Palette], Command::Down, "the next that fits"),
    bind("Lines", &["↑", "Shift+Tab"], &[Palette], Command::Up, "the one before"),
    bind("Lines", &["←"], LINES, Command::Left, "left"),
    bind("Lines", &["→"], LINES, Command::Right, "right"),
    bind("Lines", &["Home", "Ctrl+A"], LINES, Command::Start, "to the beginning"),
    bind("Lines", &["End", "Ctrl+E"], LINES, Command::End, "to the end"),
    bind("Lines", &["Backspace", "Ctrl+H"], LINES, Command::EraseLeft, "erase to the left"),
    bind("Lines", &["Delete"], LINES, Command::EraseRight, "erase to the right"),
    bind("Lines", &["Ctrl+W"], LINES, Command::EraseWord, "erase a word"),
    bind("Lines", &["Ctrl+U"], LINES, Command::EraseLine, "erase the line"),
];

/// What a key does there.
pub(super) fn find(key: KeyEvent, focus: Focus, read_only: bool) -> Option<Command> {
    let name = name(key)?;
    let binding = BINDINGS.iter().find(|binding| {
        binding.keys.contains(&name.as_str()) && binding.at.contains(&focus) && binding.is_allowed(read_only)
    })?;
    Some(binding.command)
}

impl Binding {
    pub(super) fn is_allowed(&self, read_only: bool) -> bool {
        !(self.changes && read_only)
    }
}

/// The character that a key writes, if it writes one.
pub(super) fn written(key: KeyEvent) -> Option<char> {
    match key.code {
        KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => Some(c),
        _ => None,
    }
}

/// A key as the table and the help write it: `j`, `Ctrl+L`, `PgUp`.
fn name(key: KeyEvent) -> Option<String> {
    let plain = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::CONTROL) => {
            c.to_ascii_uppercase().to_string()
        }
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Enter => "Enter".to_owned(),
        KeyCode::Esc => "Esc".to_owned(),
        KeyCode::Tab => "Tab".to_owned(),
        KeyCode::BackTab => "Shift+Tab".to_owned(),
        KeyCode::Backspace => "Backspace".to_owned(),
        KeyCode::Delete => "Delete".to_owned(),
        KeyCode::Up => "↑".to_owned(),
        KeyCode::Down => "↓".to_owned(),
        KeyCode::Left => "←".to_owned(),
        KeyCode::Right => "→".to_owned(),
        KeyCode::Home => "Home".to_owned(),
        KeyCode::End => "End".to_owned(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        _ => return None,
    };
    let control = if key.modifiers.contains(KeyModifiers::CONTROL) { "Ctrl+" } else { "" };
    Some(format!("{control}{plain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_bound_twice_in_one_place() {
        for (place, binding) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[place + 1..] {
                for key in binding.keys.iter().filter(|key| other.keys.contains(key)) {
                    let both = binding.at.iter().find(|focus| other.at.contains(focus));
                    assert_eq!(both, None, "{key}: {} and {}", binding.help, other.help);
                }
            }
        }
    }

    #[test]
    fn nothing_is_changed_in_a_read_only_dashboard() {
        let key = KeyEvent::new(KeyCode::Char('D'), KeyModifiers::SHIFT);
        assert_eq!(find(key, Tasks, false), Some(Command::Delete));
        assert_eq!(find(key, Tasks, true), None);
        assert_eq!(
            find(KeyEvent::new(KeyCode::Char('l'), KeyModifiers::CONTROL), Help, true),
            Some(Command::Redraw)
        );
    }
}
