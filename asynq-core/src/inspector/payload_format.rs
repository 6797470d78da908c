//! [`PayloadFormat`]: how an operator writes a payload.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;

/// How an operator writes a payload on a command line or in a form.
///
/// # Examples
///
/// ```
/// use asynq_core::inspector::PayloadFormat;
///
/// assert_eq!(PayloadFormat::Hex.decode(b"c0ffee".to_vec()), Ok(vec![0xc0, 0xff, 0xee]));
/// assert!(PayloadFormat::Json.decode(b"{".to_vec()).unwrap_err().contains("no JSON"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadFormat {
    /// Bytes as they are.
    #[default]
    Text,
    /// JSON, which is checked.
    Json,
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
}

impl PayloadFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Hex, Self::Base64];

    /// Its word: `text`, `json`, `hex` or `base64`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    /// The payload that is written so.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong with it.
    pub fn decode(self, written: Vec<u8>) -> Result<Vec<u8>, String> {
        match self {
            Self::Text => Ok(written),
            Self::Json => match serde_json::from_slice::<IgnoredAny>(&written) {
                Ok(_) => Ok(written),
                Err(error) => Err(format!("the payload is no JSON: {error}")),
            },
            Self::Base64 => STANDARD
                .decode(written.trim_ascii())
                .map_err(|error| format!("the payload is no base64: {error}")),
            Self::Hex => hex(written.trim_ascii())
                .ok_or_else(|| "the payload must be pairs of hexadecimal digits".to_owned()),
        }
    }
}

impl fmt::Display for PayloadFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PayloadFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is no format of payloads; known are {known}"))
    }
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            u8::try_from(digit(high)? * 16 + digit(low)?).ok()
        }
        _ => None,
    });
    pairs.collect()
}
