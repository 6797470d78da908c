//! Payloads, as they are given on the command line.

use std::io::{Read, stdin};

use asynq_core::inspector::PayloadFormat;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::failure::Failure;

/// The formats, as help and completions list them.
pub(crate) fn formats() -> impl TypedValueParser<Value = PayloadFormat> {
    PossibleValuesParser::new(PayloadFormat::ALL.map(PayloadFormat::as_str))
        .try_map(|word| word.parse::<PayloadFormat>())
}

/// The payload that is given in this format: as it stands there, or in the file or on stdin that it names.
pub(crate) fn read(format: PayloadFormat, given: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match given.strip_prefix('@') {
        _ if given == "-" => {
            stdin().lock().read_to_end(&mut bytes)?;
        }
        Some(path) => {
            bytes = std::fs::read(path).map_err(|error| Failure::usage(format!("{path}: {error}")))?;
        }
        None => bytes.extend_from_slice(given.as_bytes()),
    }
    format.decode(bytes).map_err(Failure::usage)
}

/// What makes these bytes no JSON, and where.
pub(super) fn json_error(bytes: &[u8]) -> Option<serde_json::Error> {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).err()
}
