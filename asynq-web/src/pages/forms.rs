//! [`Form`]: in what form bytes are shown: chosen by what they are, or by the reader in the address.

use std::borrow::Cow;

use asynq_core::inspector::{Encoding, JsonText};

use crate::formats::Written;
use crate::problem::Problem;

/// Texts that are longer are not laid out, and shown in part unless the whole is asked for.
pub(super) const LONGEST: usize = 64 * 1024;

/// JSON of more values is not laid out.
const MOST_VALUES: usize = 3_000;

/// Our own forms beside the encodings.
const PLAIN: [(&str, &str); 4] = [("json", "JSON"), ("text", "Text"), ("hex", "Hex"), ("base64", "Base64")];

/// A form in which some bytes can be shown.
#[derive(Clone, Debug)]
pub(super) struct Form<'a> {
    /// Its word in addresses.
    pub(super) name: Cow<'a, str>,
    /// Its name.
    pub(super) label: Cow<'a, str>,
    /// Whether nothing but the bytes themselves says so.
    pub(super) is_guess: bool,
    pub(super) how: How<'a>,
}

/// How it is shown.
#[derive(Clone, Debug)]
pub(super) enum How<'a> {
    /// As JSON that is laid out.
    Json(Cow<'a, str>),
    Text(Cow<'a, str>),
    Hex,
    Base64,
}

/// The forms of some bytes.
#[derive(Clone, Debug)]
pub(super) struct Forms<'a> {
    pub(super) all: Vec<Form<'a>>,
    /// The one that is shown, of these.
    pub(super) chosen: usize,
    /// Why it is not the one that was asked for.
    pub(super) remark: Option<String>,
}

impl<'a> Forms<'a> {
    /// Those of some bytes, which are marked so; `written` is what formats of the application made of them.
    pub(super) fn of(
        bytes: &'a [u8],
        mark: Option<Encoding>,
        written: &'a [Written],
        asked: Option<&str>,
    ) -> Self {
        let mut all: Vec<Form<'a>> = written.iter().map(Form::written).collect();
        all.extend(mark.and_then(|mark| Form::encoded(bytes, mark, false).ok()));
        all.extend(built_in(bytes));
        let mut remark = None;
        if let Some(asked) = asked
            && !all.iter().any(|form| form.name == asked)
        {
            match Encoding::ALL.into_iter().find(|encoding| encoding.as_str() == asked) {
                Some(encoding) => match Form::encoded(bytes, encoding, false) {
                    Ok(form) => all.push(form),
                    Err(reason) => remark = Some(reason),
                },
                None if asked == "json" && bytes.len() > LONGEST => {
                    remark = Some("it is too long to be laid out".to_owned());
                }
                None if asked == "json" => remark = Some("it is no JSON".to_owned()),
                None if asked == "text" => remark = Some("it is no text".to_owned()),
                None => remark = Some(format!("the format `{asked}` makes nothing of it")),
            }
        }
        // Where the application has a format of the same name, that is the one.
        let mut kept: Vec<Form<'a>> = Vec::with_capacity(all.len());
        for form in all {
            if !kept.iter().any(|known| known.name == form.name) {
                kept.push(form);
            }
        }
        let chosen = kept.iter().position(|form| Some(&*form.name) == asked).unwrap_or(0);
        Self { all: kept, chosen, remark }
    }

    pub(super) fn shown(&self) -> Option<&Form<'a>> {
        self.all.get(self.chosen)
    }
}

/// Refuses a form that nobody knows; `own` are those of the application.
pub(super) fn check_name<'n>(
    field: &str,
    asked: Option<&str>,
    own: impl Iterator<Item = &'n str>,
) -> Result<(), Problem> {
    let ours = PLAIN.iter().map(|(name, _)| *name).chain(Encoding::ALL.map(Encoding::as_str));
    let known: Vec<&str> = ours.chain(own).collect();
    match asked.filter(|asked| !known.contains(asked)) {
        Some(asked) => {
            let known = known.join(", ");
            Err(Problem::invalid(format!("{field}: `{asked}` is no form of a content; known are {known}")))
        }
        None => Ok(()),
    }
}

/// The forms that need no mark, the likeliest first.
fn built_in(bytes: &[u8]) -> Vec<Form<'_>> {
    let text = std::str::from_utf8(bytes).ok();
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let text_form = text.map(|text| Form::plain("text", How::Text(text.into())));
    let mut forms = Vec::new();
    if let Some(text) = text.filter(|text| !text.contains(is_odd)) {
        forms.extend(is_laid_out(text).then(|| Form::plain("json", How::Json(text.into()))));
        forms.extend(text_form);
        forms.push(Form::plain("hex", How::Hex));
    } else {
        let guess = Encoding::guess(bytes);
        forms.extend(guess.and_then(|guess| Form::encoded(bytes, guess, true).ok()));
        forms.push(Form::plain("hex", How::Hex));
        forms.extend(text_form);
    }
    forms.push(Form::plain("base64", How::Base64));
    forms
}

/// Whether this is JSON that can be laid out.
fn is_laid_out(text: &str) -> bool {
    text.len() <= LONGEST && JsonText::read(text).is_some_and(|json| json.count() <= MOST_VALUES)
}

impl<'a> Form<'a> {
    fn plain(name: &'static str, how: How<'a>) -> Self {
        let label = PLAIN.iter().find(|(known, _)| *known == name).map_or(name, |(_, label)| *label);
        Self { name: name.into(), label: label.into(), is_guess: false, how }
    }

    fn encoded(bytes: &[u8], encoding: Encoding, is_guess: bool) -> Result<Self, String> {
        let json = encoding.to_json(bytes).map_err(|error| error.to_string())?;
        let how = json_or_text(json.into());
        Ok(Self { name: encoding.as_str().into(), label: encoding.name().into(), is_guess, how })
    }

    fn written(written: &'a Written) -> Self {
        let name = Cow::Borrowed(&*written.name);
        Self { label: name.clone(), name, is_guess: false, how: json_or_text((&*written.text).into()) }
    }
}

fn json_or_text(text: Cow<'_, str>) -> How<'_> {
    if is_laid_out(&text) { How::Json(text) } else { How::Text(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8], mark: Option<Encoding>, asked: Option<&str>) -> (Vec<String>, String) {
        let forms = Forms::of(bytes, mark, &[], asked);
        let shown = forms.shown().unwrap().name.to_string();
        (forms.all.iter().map(|form| form.name.to_string()).collect(), forms.remark.unwrap_or(shown))
    }

    #[test]
    fn a_form_is_chosen_by_what_it_is() {
        for (bytes, mark, expected) in [
            (&b"{\"a\":1}"[..], None, "json text hex base64"),
            (b"plain", None, "text hex base64"),
            (b"\x81\xa1a\x01", None, "msgpack hex base64"),
            (b"\x08\x05", None, "protobuf hex text base64"),
            (b"\x08\x05", Some(Encoding::Protobuf), "protobuf hex text base64"),
            (b"\xa1a", Some(Encoding::MessagePack), "msgpack hex base64"),
            (b"hi", Some(Encoding::MessagePack), "text hex base64"),
            (b"\x00\xff\x10\xc0", None, "hex base64"),
        ] {
            let (all, shown) = names(bytes, mark, None);
            assert_eq!(all.join(" "), expected, "{bytes:02x?}");
            assert_eq!(shown, all[0]);
        }
        let long = format!("[{}1]", "1,".repeat(3_000));
        assert_eq!(names(long.as_bytes(), None, None).1, "text");
    }

    #[test]
    fn the_reader_chooses_or_hears_why_not() {
        for (bytes, asked, told) in [
            (&b"{}"[..], "hex", "hex"),
            (b"hi", "protobuf", "protobuf"),
            (b"hi", "json", "it is no JSON"),
            (b"\xff", "text", "it is no text"),
            (b"hi", "cbor", "it is no CBOR: it ends too early at byte 1"),
            (b"hi", "mine", "the format `mine` makes nothing of it"),
        ] {
            assert_eq!(names(bytes, None, Some(asked)).1, told, "{asked}");
        }
        let problem = check_name("as", Some("xml"), ["mine"].into_iter()).unwrap_err();
        assert!(problem.detail.ends_with("json, text, hex, base64, msgpack, cbor, protobuf, mine"));
        assert!(check_name("as", Some("mine"), ["mine"].into_iter()).is_ok());
    }

    #[test]
    fn formats_of_the_application_come_first() {
        let written = [Written { name: "hex".into(), text: "mine".to_owned() }];
        let forms = Forms::of(b"{}", None, &written, None);
        assert!(matches!(&forms.shown().unwrap().how, How::Text(text) if text == "mine"));
        assert_eq!(forms.all.iter().filter(|form| form.name == "hex").count(), 1);
    }
}
