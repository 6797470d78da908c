//! Bytes as people read them: JSON that can be folded, with numbers as they are written; text; bytes by number.

use asynq_core::inspector::{JsonText, human};
use maud::{Markup, html};

use crate::links::Link;

/// Texts that are longer are shown in part, unless the whole is asked for.
const LONGEST: usize = 64 * 1024;

/// JSON of more values is not laid out.
const MOST_VALUES: usize = 3_000;

/// Lists and objects of more parts begin folded.
const MOST_OPEN: usize = 40;

/// How many bytes are shown by number.
const MOST_BYTES: usize = 4 * 1024;

/// Bytes, with ways to copy and to download them.
pub(super) fn bytes(title: &str, bytes: &[u8], download: &Link, whole: Option<&Link>) -> Markup {
    let kind = kind(bytes);
    html! {
        section.payload {
            header {
                h2 { (title) }
                span.muted { (kind.word()) ", " (human::size(bytes.len().try_into().unwrap_or(u64::MAX))) }
                @if !bytes.is_empty() {
                    span.grow {}
                    button.quiet type="button" data-copy=(download) hidden { "Copy" }
                    a.button.quiet href=(download) download { "Download" }
                }
            }
            @match kind {
                Kind::Nothing => p.muted { "It is empty." },
                Kind::Json(json) => div.json tabindex="0" { (tree(None, &json, true)) },
                Kind::Text(text) => (long(text, whole)),
                Kind::Bytes => (by_number(bytes)),
            }
        }
    }
}

enum Kind<'a> {
    Nothing,
    Json(JsonText<'a>),
    Text(&'a str),
    Bytes,
}

impl Kind<'_> {
    fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Json(_) => "JSON",
            Self::Text(_) => "text",
            Self::Bytes => "bytes",
        }
    }
}

fn kind(bytes: &[u8]) -> Kind<'_> {
    match std::str::from_utf8(bytes) {
        Ok("") => Kind::Nothing,
        Ok(text) if text.len() <= LONGEST => match JsonText::read(text) {
            Some(json) if json.count() <= MOST_VALUES => Kind::Json(json),
            _ => Kind::Text(text),
        },
        Ok(text) => Kind::Text(text),
        Err(_) => Kind::Bytes,
    }
}

fn tree(key: Option<&str>, json: &JsonText<'_>, is_first: bool) -> Markup {
    let name = html! { @if let Some(key) = key { span.key { (key) } ": " } };
    match json {
        JsonText::Word(text) => html! { div { (name) span.word { (text) } } },
        JsonText::Number(text) => html! { div { (name) span.number { (text) } } },
        JsonText::Text(text) => html! { div { (name) span.text { (text) } } },
        JsonText::List(items) if items.is_empty() => html! { div { (name) "[]" } },
        JsonText::Object(fields) if fields.is_empty() => html! { div { (name) "{}" } },
        JsonText::List(items) => folded(
            &name,
            "[",
            "]",
            items.len(),
            is_first,
            &html! {
                @for item in items { (tree(None, item, false)) }
            },
        ),
        JsonText::Object(fields) => folded(
            &name,
            "{",
            "}",
            fields.len(),
            is_first,
            &html! {
                @for (key, value) in fields { (tree(Some(key), value, false)) }
            },
        ),
    }
}

fn folded(name: &Markup, open: &str, close: &str, parts: usize, is_first: bool, inner: &Markup) -> Markup {
    html! {
        details open[is_first || parts <= MOST_OPEN] {
            summary { (name) (open) span.fold { "… " (parts) } span.close { (close) } }
            div.inner { (inner) }
            (close)
        }
    }
}

fn long(text: &str, whole: Option<&Link>) -> Markup {
    let Some(whole) = whole.filter(|_| text.len() > LONGEST) else {
        return html! { pre tabindex="0" { (text) } };
    };
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    html! {
        pre tabindex="0" { (text.get(..end).unwrap_or(text)) }
        p.muted { "This is the beginning. " a href=(whole) { "Show the whole text" } }
    }
}

fn by_number(bytes: &[u8]) -> Markup {
    let shown = bytes.get(..MOST_BYTES).unwrap_or(bytes);
    let lines = human::hex_dump(shown).map(|line| line + "\n");
    html! {
        pre.bytes tabindex="0" { (lines.collect::<String>()) }
        @if shown.len() < bytes.len() {
            p.muted { "These are the first " (human::size(4 * 1024)) "; the download has all." }
        }
    }
}

/// Bytes in a cell of a table: one short line.
pub(super) fn cell(bytes: &[u8]) -> Markup {
    const LONGEST: usize = 160;
    let shown = bytes.get(..LONGEST * 4).unwrap_or(bytes);
    match std::str::from_utf8(shown) {
        Ok("") => super::parts::none(),
        // A cut within a character is no reason to call it bytes.
        Ok(text) => line(text, LONGEST, bytes.len()),
        Err(error) if error.error_len().is_none() && shown.len() < bytes.len() => {
            let text = shown.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
            line(text.unwrap_or_default(), LONGEST, bytes.len())
        }
        Err(_) => {
            html! { span.muted { (human::size(bytes.len().try_into().unwrap_or(u64::MAX))) " of bytes" } }
        }
    }
}

fn line(text: &str, longest: usize, whole: usize) -> Markup {
    let short: String = text.chars().take(longest).collect();
    html! { code { (human::printable(&short)) @if short.len() < whole { "…" } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_text_stay_as_they_are() {
        let shown = |payload: &[u8]| bytes("Payload", payload, &Link::new("/d"), None).into_string();
        let page = shown(br#"{"id":12345678901234567890.10,"name":"<b>","list":[]}"#);
        assert!(page.contains("12345678901234567890.10") && page.contains("&lt;b&gt;"), "{page}");
        assert!(shown(b"\xff\x00abc").contains("ff 00 61 62 63"));
        assert!(shown(b"plain\ntext").contains(">plain\ntext</pre>"));
        assert!(shown(b"").contains("It is empty."));
    }

    #[test]
    fn a_cell_is_short() {
        let long = "é".repeat(10_000);
        let shown = cell(long.as_bytes()).into_string();
        assert!(shown.len() < 500 && shown.contains('…'), "{shown}");
        assert_eq!(cell(b"a\nb").into_string(), "<code>a\\nb</code>");
        assert!(cell(&[0xff; 2_048]).into_string().contains("2.0 KiB"));
    }
}
