//! Editing a payload in whatever editor somebody likes.

use std::io::Write;
use std::process::Command;

/// Opens the text in `$VISUAL`, else `$EDITOR`, else vi, and gives what was saved; the terminal must be free.
///
/// The file can be read by nobody else, and is removed afterwards.
pub(super) fn edit(text: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = |what: &str, error: std::io::Error| format!("{what}: {error}");
    let mut file = tempfile::Builder::new()
        .prefix("asynq-payload-")
        .suffix(if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() { ".json" } else { ".txt" })
        .tempfile()
        .map_err(|error| wrong("cannot make a file for the editor", error))?;
    file.write_all(text)
        .and_then(|()| file.flush())
        .map_err(|error| wrong("cannot write for the editor", error))?;
    let line = editor();
    // It may have arguments, as in `code --wait`.
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(file.path()).status();
    let status = status.map_err(|error| wrong(&format!("cannot start the editor `{program}`"), error))?;
    if !status.success() {
        return Err(format!("the editor `{program}` failed ({status}); nothing was changed"));
    }
    // Read by its name: an editor may have put another file in its place.
    let mut new = std::fs::read(file.path()).map_err(|error| wrong("cannot read what was saved", error))?;
    // Editors end a file with a line break; the payload had none.
    if !text.ends_with(b"\n") && new.ends_with(b"\n") {
        new.pop();
        if new.ends_with(b"\r") {
            new.pop();
        }
    }
    Ok(new)
}

#[expect(clippy::disallowed_methods, reason = "these variables belong to the user's whole system")]
fn editor() -> String {
    ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.trim().is_empty())
        .unwrap_or_else(|| "vi".to_owned())
}
