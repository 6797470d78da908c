//! Bytes as people read them: JSON that can be folded, with numbers as they are written; text; bytes by number.

use asynq_core::inspector::{Encoding, JsonText, human};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::forms::{Forms, How, LONGEST};
use crate::formats::Written;
use crate::links::Link;

/// Lists and objects of more parts begin folded.
const MOST_OPEN: usize = 40;

/// How many bytes are shown by number.
const MOST_BYTES: usize = 4 * 1024;

/// Something that a task carries, and how it is asked for.
pub(super) struct Carried<'a> {
    pub(super) title: &'a str,
    pub(super) bytes: &'a [u8],
    /// What the task says of it.
    pub(super) mark: Option<Encoding>,
    /// What formats of the application made of it.
    pub(super) written: &'a [Written],
    /// The form that is asked for.
    pub(super) asked: Option<&'a str>,
    pub(super) download: Link,
    /// The same page with another form of it, by its name.
    pub(super) form: &'a dyn Fn(&str) -> Link,
    /// The same page with the whole of long texts, unless this is it.
    pub(super) whole: Option<&'a Link>,
}

impl Carried<'_> {
    /// It, with its forms, and ways to copy and to download it.
    pub(super) fn show(&self) -> Markup {
        let size = human::size(self.bytes.len().try_into().unwrap_or(u64::MAX));
        if self.bytes.is_empty() && self.written.is_empty() {
            return html! {
                section.payload {
                    header { h2 { (self.title) } span.muted { "nothing, " (size) } }
                    p.muted { "It is empty." }
                }
            };
        }
        let forms = Forms::of(self.bytes, self.mark, self.written, self.asked);
        let (Some(kind), Some(shown)) = (forms.all.first(), forms.shown()) else { return html! {} };
        html! {
            section.payload {
                header {
                    h2 { (self.title) }
                    span.muted { (kind.label) @if kind.is_guess { ", as it seems" } ", " (size) }
                    div.forms {
                        span.hidden { "Shown as" }
                        @for form in &forms.all {
                            a href=((self.form)(&form.name)) aria-current=[(form.name == shown.name).then_some("true")] { (form.label) }
                        }
                    }
                    span.grow {}
                    button.quiet type="button" data-copy=(self.download) hidden { "Copy" }
                    a.button.quiet href=(self.download) download { "Download" }
                }
                @if let Some(reason) = &forms.remark { p.remark { "It is shown in another form: " (reason) "." } }
                (self.body(&shown.how))
            }
        }
    }

    fn body(&self, how: &How<'_>) -> Markup {
        match how {
            How::Json(text) => match JsonText::read(text) {
                Some(json) => html! { div.json tabindex="0" { (tree(None, &json, true)) } },
                None => long(text, self.whole),
            },
            How::Text(text) => long(text, self.whole),
            How::Hex => by_number(self.bytes),
            How::Base64 => long(&STANDARD.encode(self.bytes), self.whole),
        }
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

    fn shown(bytes: &[u8], asked: Option<&str>) -> String {
        let form = |name: &str| Link::new("").with("as", name);
        let (title, download) = ("Payload", Link::new("/d"));
        Carried { title, bytes, mark: None, written: &[], asked, download, form: &form, whole: None }
            .show()
            .into_string()
    }

    #[test]
    fn numbers_and_text_stay_as_they_are() {
        let page = shown(br#"{"id":12345678901234567890.10,"name":"<b>","list":[]}"#, None);
        assert!(page.contains("12345678901234567890.10") && page.contains("&lt;b&gt;"), "{page}");
        assert!(
            page.contains("href=\"/?as=hex\"") && page.contains("aria-current=\"true\">JSON</a>"),
            "{page}"
        );
        assert!(shown(b"\xff\x00abc", None).contains("ff 00 61 62 63"));
        assert!(shown(b"plain\ntext", None).contains(">plain\ntext</pre>"));
        assert!(shown(b"", None).contains("It is empty."));
        assert!(shown(b"a>b", Some("base64")).contains(">YT5i</pre>"));
        assert!(
            shown(b"plain", Some("msgpack")).contains("It is shown in another form: it is no MessagePack")
        );
        let guessed = shown(b"\x81\xa2to\xa3ann", None);
        assert!(
            guessed.contains("MessagePack, as it seems, 8 B") && guessed.contains("&quot;ann&quot;"),
            "{guessed}"
        );
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
