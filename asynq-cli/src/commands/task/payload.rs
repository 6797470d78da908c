//! Payloads, as they are given on the command line.

use std::io::{Read, stdin};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;

use crate::failure::Failure;

/// What a payload on the command line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PayloadFormat {
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
    /// The payload that is given: as it stands there, or in the file or on stdin that it names.
    pub(super) fn read(self, given: &str) -> Result<Vec<u8>, Failure> {
        if given == "-" {
            let mut bytes = Vec::new();
            stdin().lock().read_to_end(&mut bytes)?;
            return self.decode(bytes);
        }
        self.decode(match given.strip_prefix('@') {
            Some(path) => std::fs::read(path).map_err(|error| Failure::usage(format!("{path}: {error}")))?,
            None => given.as_bytes().to_vec(),
        })
    }

    fn decode(self, bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Text => Ok(bytes),
            Self::Json => match json_error(&bytes) {
                None => Ok(bytes),
                Some(error) => Err(Failure::usage(format!("the payload is no JSON: {error}"))),
            },
            Self::Base64 => STANDARD
                .decode(bytes.trim_ascii())
                .map_err(|error| Failure::usage(format!("the payload is no base64: {error}"))),
            Self::Hex => hex(bytes.trim_ascii())
                .ok_or_else(|| Failure::usage("the payload must be pairs of hexadecimal digits")),
        }
    }
}

/// What makes these bytes no JSON, and where.
pub(super) fn json_error(bytes: &[u8]) -> Option<serde_json::Error> {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).err()
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
