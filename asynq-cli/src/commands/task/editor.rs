//! Changing a payload in the user's editor.

use asynq_core::inspector::TaskEdit;

use super::payload::json_error;
use crate::app::App;
use crate::editor::{self, Draft};
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
    let editor = editor::chosen().ok_or_else(|| {
        Failure::usage(
            "nothing to change: give --payload, --header, --at, --retry, --timeout or --retention; \
             or set EDITOR, to edit the payload",
        )
    })?;
    let draft = Draft::new(&before)
        .map_err(|error| Failure::new(Kind::Failed, format!("cannot make a file for the editor: {error}")))?;
    let after = draft.open_in(&editor).map_err(|what| Failure::new(Kind::Refused, what))?;
    if after == before {
        return app.printer.say(&format!("{}: not changed", human::printable(id)));
    }
    let kept = |what: String, kind| match draft.keep() {
        Some(path) => Failure::new(kind, format!("{what}; your text is in {}", path.display())),
        None => Failure::new(kind, what),
    };
    if let (None, Some(error)) = (json_error(&before), json_error(&after)) {
        return Err(kept(format!("the payload was JSON and is none any more: {error}"), Kind::Usage));
    }
    let edit = TaskEdit::new().payload(after).only_if_payload(before);
    match app.inspector.edit(queue, id, edit).await.map_err(Failure::from) {
        Ok(_) => app.printer.say(&format!("{}: changed", human::printable(id))),
        Err(failure) => Err(kept(failure.message().to_owned(), failure.kind())),
    }
}
