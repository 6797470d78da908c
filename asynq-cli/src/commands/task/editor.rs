//! Changing a payload in the user's editor.

use std::io::Write;
use std::process::Command;

use asynq_core::inspector::TaskEdit;

use super::payload::json_error;
use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::human;

/// Opens the payload of a task in `$VISUAL` or `$EDITOR`, and stores what comes back, unless somebody else has changed it
/// meanwhile.
pub(super) async fn edit(app: &App, queue: &str, id: &str) -> Result<(), Failure> {
    let task = app.inspector.task(queue, id).await?;
    let before = task.info.payload.clone();
    if task.message.payload != before {
        return Err(Failure::usage("the payload is compressed or encrypted: replace it with --payload"));
    }
    if std::str::from_utf8(&before).is_err() {
        return Err(Failure::usage("the payload is no text: replace it with --payload @FILE"));
    }
    let is_json = json_error(&before).is_none();
    let suffix = if is_json { ".json" } else { ".txt" };
    let named = |error: std::io::Error| Failure::new(Kind::Failed, format!("temporary file: {error}"));
    let mut file =
        tempfile::Builder::new().prefix("asynq-payload-").suffix(suffix).tempfile().map_err(named)?;
    file.write_all(&before).map_err(named)?;
    file.flush().map_err(named)?;
    run_editor(file.path())?;
    let after = std::fs::read(file.path()).map_err(named)?;
    // Editors end a file with a line break.
    let after = if before.ends_with(b"\n") { &after } else { after.strip_suffix(b"\n").unwrap_or(&after) };
    if after == before {
        return app.printer.say(&format!("{}: not changed", human::printable(id)));
    }
    let kept = |what: String, kind| match file.keep() {
        Ok((_, path)) => Failure::new(kind, format!("{what}; your text is in {}", path.display())),
        Err(_) => Failure::new(kind, what),
    };
    if let (true, Some(error)) = (is_json, json_error(after)) {
        return Err(kept(format!("the payload was JSON and is none any more: {error}"), Kind::Usage));
    }
    let edit = TaskEdit::new().payload(after.to_vec()).only_if_payload(before);
    match app.inspector.edit(queue, id, edit).await.map_err(Failure::from) {
        Ok(_) => app.printer.say(&format!("{}: changed", human::printable(id))),
        Err(failure) => Err(kept(failure.message().to_owned(), failure.kind())),
    }
}

fn run_editor(path: &std::path::Path) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "the names that every program uses for this")]
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty()));
    let editor = editor.ok_or_else(|| {
        Failure::usage(
            "nothing to change: give --payload, --header, --at, --retry, --timeout or --retention; \
                        or set EDITOR, to edit the payload",
        )
    })?;
    // As git does it: the variable may have arguments.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let ended = Command::new(program).args(words).arg(path).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(Kind::Refused, format!("the editor `{editor}` failed: {status}"))),
        Err(error) => Err(Failure::usage(format!("the editor `{editor}` cannot be run: {error}"))),
    }
}
