//! Reading stored payloads: which version one is of, whether the job's codec wrote it, and what earlier versions become.

use std::error::Error;
use std::fmt;

use super::{Codec, CodecError, Job, PayloadForm};
use crate::task::Headers;
use crate::wire::{CODEC_HEADER, LAYERS_HEADER, VERSION_HEADER};

/// How a payload of an earlier version of a job is read. Made by `#[job(from(1 = …))]`.
pub struct Earlier<J> {
    version: u32,
    read: fn(&[u8]) -> Result<J, CodecError>,
}

impl<J> Earlier<J> {
    /// A payload of this version is an `Old` by the codec `C`, which becomes a `J`.
    pub const fn new<C: Codec<Old>, Old: Upgrade<J>>(version: u32) -> Self {
        Self { version, read: |payload| C::decode(payload)?.upgrade() }
    }

    /// The version.
    pub const fn version(&self) -> u32 {
        self.version
    }
}

impl<J> fmt::Debug for Earlier<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earlier").field("version", &self.version).finish_non_exhaustive()
    }
}

/// What a payload of an earlier version is, and can become the job: whatever implements `Into` or `TryInto` for it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot become `{J}`",
    label = "not known how an earlier payload becomes `{J}`",
    note = "write `impl From<{Self}> for {J}`, or `TryFrom` where some of them cannot be made into one"
)]
pub trait Upgrade<J> {
    /// The job of the version at hand.
    ///
    /// # Errors
    ///
    /// As its conversion.
    fn upgrade(self) -> Result<J, CodecError>;
}

#[diagnostic::do_not_recommend]
impl<J, Old: TryInto<J, Error: Into<Box<dyn Error + Send + Sync>>>> Upgrade<J> for Old {
    fn upgrade(self) -> Result<J, CodecError> {
        self.try_into().map_err(CodecError::new)
    }
}

/// Why reading a payload is of no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mismatch {
    #[error("it is of version {found}, and this program reads {known} only: a newer one has to run it")]
    Newer { found: u32, known: String },
    #[error("it is of version {found}, and this program reads {known} only")]
    Older { found: u32, known: String },
    #[error("its header `{VERSION_HEADER}` is no version: a number, 1 or more")]
    NoVersion,
    #[error("it is compressed or encrypted, and nobody has opened it: see `Client::open`")]
    Sealed,
    #[error("its header `{CODEC_HEADER}` says `{found}`, and this job reads {expected}")]
    Codec { found: String, expected: String },
}

/// The job that is stored as these bytes beside these headers.
pub(crate) fn read<J: Job>(payload: &[u8], headers: &Headers) -> Result<J, CodecError> {
    // Compiled for each job: what does not need its type is done elsewhere.
    match stored_as(&const { PayloadForm::of::<J>() }, headers)? {
        Stored::Current => J::decode(payload),
        Stored::Earlier(place) => match J::EARLIER.get(place) {
            Some(earlier) => (earlier.read)(payload),
            None => J::decode(payload),
        },
    }
}

/// As what a payload is stored.
enum Stored {
    /// The job itself.
    Current,
    /// The earlier version at this place of them all.
    Earlier(usize),
}

/// As what a payload with these headers is stored, if they do not say that reading it is of no use.
fn stored_as(form: &PayloadForm, headers: &Headers) -> Result<Stored, CodecError> {
    let version = version(form, headers).map_err(CodecError::new)?;
    if version == form.version {
        return Ok(Stored::Current);
    }
    match form.earlier().position(|earlier| earlier == version) {
        Some(place) => Ok(Stored::Earlier(place)),
        None => Err(CodecError::new(unknown(form, version))),
    }
}

fn version(form: &PayloadForm, headers: &Headers) -> Result<u32, Mismatch> {
    if headers.contains_key(LAYERS_HEADER) {
        return Err(Mismatch::Sealed);
    }
    let version = match headers.get(VERSION_HEADER) {
        None => 1,
        Some(text) => text.parse().ok().filter(|version| *version > 0).ok_or(Mismatch::NoVersion)?,
    };
    // What came after this program may also be encoded in another way: that it is newer says more.
    if version <= form.version
        && let Some(found) = headers.get(CODEC_HEADER)
        && Some(found.as_str()) != form.codec
    {
        let expected = form.codec.map_or_else(|| "JSON".to_owned(), |name| format!("`{name}`"));
        // Whoever wrote the header may have written anything.
        let found = found.chars().take(40).flat_map(char::escape_debug).collect();
        return Err(Mismatch::Codec { found, expected });
    }
    Ok(version)
}

fn unknown(form: &PayloadForm, found: u32) -> Mismatch {
    let mut known: Vec<u32> = form.earlier().collect();
    known.push(form.version);
    known.sort_unstable();
    let numbers: Vec<String> = known.iter().map(u32::to_string).collect();
    let plural = if known.len() > 1 { "s" } else { "" };
    let known = format!("version{plural} {}", numbers.join(", "));
    if found > form.version { Mismatch::Newer { found, known } } else { Mismatch::Older { found, known } }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::job::{JobOptions, Json, Raw};

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Mail {
        to: Vec<String>,
        #[serde(default)]
        urgent: bool,
    }

    #[derive(Deserialize, Serialize)]
    struct First {
        to: String,
    }

    #[derive(Deserialize, Serialize)]
    struct Second {
        to: Vec<String>,
        priority: u8,
    }

    impl From<First> for Mail {
        fn from(First { to }: First) -> Self {
            Self { to: vec![to], urgent: false }
        }
    }

    impl TryFrom<Second> for Mail {
        type Error = &'static str;

        fn try_from(Second { to, priority }: Second) -> Result<Self, &'static str> {
            if to.is_empty() { Err("nobody to send it to") } else { Ok(Self { to, urgent: priority > 5 }) }
        }
    }

    impl Job for Mail {
        const NAME: &'static str = "mail";
        const OPTIONS: JobOptions = JobOptions::new();
        const VERSION: u32 = 3;
        const EARLIER: &'static [Earlier<Self>] =
            &[Earlier::new::<Json, First>(1), Earlier::new::<Json, Second>(2)];
        type Codec = Json;
        type Output = ();
    }

    #[derive(Debug)]
    struct Text(String);

    impl Codec<Text> for Raw {
        const NAME: Option<&'static str> = Some("raw");

        fn encode(text: &Text) -> Result<bytes::Bytes, CodecError> {
            Self::encode(&text.0)
        }

        fn decode(bytes: &[u8]) -> Result<Text, CodecError> {
            Self::decode(bytes).map(Text)
        }
    }

    impl Job for Text {
        const NAME: &'static str = "text";
        const OPTIONS: JobOptions = JobOptions::new();
        type Codec = Raw;
        type Output = ();
    }

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn text<J: Job + fmt::Debug>(payload: &str, pairs: &[(&str, &str)]) -> String {
        read::<J>(payload.as_bytes(), &headers(pairs)).unwrap_err().reason()
    }

    #[test]
    fn each_version_is_read_as_what_it_is() {
        let mail = |to: &str, urgent| Mail { to: vec![to.to_owned()], urgent };
        let read = |payload: &str, pairs: &[_]| read::<Mail>(payload.as_bytes(), &headers(pairs)).unwrap();
        assert_eq!(read(r#"{"to":"a"}"#, &[]), mail("a", false));
        assert_eq!(read(r#"{"to":"a"}"#, &[(VERSION_HEADER, "1")]), mail("a", false));
        assert_eq!(read(r#"{"to":["a"],"priority":9}"#, &[(VERSION_HEADER, "2")]), mail("a", true));
        assert_eq!(read(r#"{"to":["a"],"urgent":true}"#, &[(VERSION_HEADER, "3")]), mail("a", true));
        // It would be one of the third version, too, with its default: nothing is tried, the header says it.
        assert_eq!(
            text::<Mail>(r#"{"to":["a"]}"#, &[(VERSION_HEADER, "2")]),
            "line 1, column 12: missing field `priority`"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_can() {
        for (payload, pairs, said) in [
            (
                "{}",
                &[(VERSION_HEADER, "4")][..],
                "it is of version 4, and this program reads versions 1, 2, 3 only: a newer one has to run it",
            ),
            ("{}", &[(VERSION_HEADER, "0")], "its header `asynq-version` is no version: a number, 1 or more"),
            (
                "{}",
                &[(VERSION_HEADER, "v2")],
                "its header `asynq-version` is no version: a number, 1 or more",
            ),
            (r#"{"to":[],"priority":1}"#, &[(VERSION_HEADER, "2")], "nobody to send it to"),
            (
                "{}",
                &[(CODEC_HEADER, "msgpack")],
                "its header `asynq-codec` says `msgpack`, and this job reads JSON",
            ),
            ("{}", &[(CODEC_HEADER, "\n")], "its header `asynq-codec` says `\\n`, and this job reads JSON"),
            // That it is newer explains the other codec.
            (
                "{}",
                &[(CODEC_HEADER, "cbor"), (VERSION_HEADER, "4")],
                "it is of version 4, and this program reads versions 1, 2, 3 only: a newer one has to run it",
            ),
        ] {
            assert_eq!(text::<Mail>(payload, pairs), said);
        }
        assert_eq!(
            text::<Text>("a", &[(CODEC_HEADER, "cbor")]),
            "its header `asynq-codec` says `cbor`, and this job reads `raw`"
        );
        assert_eq!(
            text::<Text>("a", &[(VERSION_HEADER, "2")]),
            "it is of version 2, and this program reads version 1 only: a newer one has to run it"
        );
    }

    #[test]
    fn a_task_is_marked_with_what_differs_from_plain_json() {
        let mail = Mail { to: vec![], urgent: false }.to_task().unwrap();
        assert_eq!(*mail.headers(), headers(&[(VERSION_HEADER, "3")]));
        let text = Text("a".to_owned()).to_task().unwrap();
        assert_eq!(*text.headers(), headers(&[(CODEC_HEADER, "raw")]));
        // What Go programs write has no mark.
        assert_eq!(read::<Text>(b"a", &Headers::new()).unwrap().0, "a");
    }
}
