//! The fields of a protobuf message by their numbers, as JSON.

use std::fmt::Write as _;

use super::encoding::Wrong;
use super::reader::{DEEPEST, Reader, TOO_DEEP, TOO_EARLY, UNKNOWN, text};

/// The largest number of a field.
const LARGEST: u64 = (1 << 29) - 1;

pub(super) fn to_json(bytes: &[u8]) -> Result<String, Wrong> {
    let mut out = String::with_capacity(bytes.len());
    message(bytes, DEEPEST, &mut out)?;
    Ok(out)
}

fn message(bytes: &[u8], depth: usize, out: &mut String) -> Result<(), Wrong> {
    let mut reader = Reader::new(bytes);
    let depth = depth.checked_sub(1).ok_or_else(|| reader.wrong(TOO_DEEP))?;
    out.push('{');
    let mut comma = "";
    while !reader.is_at_end() {
        let tag = varint(&mut reader)?;
        let number = tag >> 3;
        if !(1..=LARGEST).contains(&number) {
            return Err(reader.wrong("a field without a number"));
        }
        // Writing to a text cannot fail, here and below.
        _ = write!(out, "{comma}\"{number}\":");
        comma = ",";
        match tag & 7 {
            0 => out.push_str(&varint(&mut reader)?.to_string()),
            1 => {
                let bits = reader.little(8)?;
                _ = write!(out, "\"{bits:#018x} ({:?})\"", f64::from_bits(bits));
            }
            2 => {
                let length = varint(&mut reader)?;
                delimited(reader.take_counted(length)?, depth, out);
            }
            5 => {
                let bits = u32::try_from(reader.little(4)?).unwrap_or_default();
                _ = write!(out, "\"{bits:#010x} ({:?})\"", f32::from_bits(bits));
            }
            _ => return Err(reader.wrong(UNKNOWN)),
        }
    }
    out.push('}');
    Ok(())
}

/// A text, a message or bytes: nothing tells which. Almost every message has bytes that are in no line of text.
fn delimited(bytes: &[u8], depth: usize, out: &mut String) {
    let is_line = std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(char::is_control));
    let start = out.len();
    if is_line || message(bytes, depth, out).is_err() {
        out.truncate(start);
        out.push_str(&text(bytes));
    }
}

fn varint(reader: &mut Reader<'_>) -> Result<u64, Wrong> {
    let mut number = 0;
    for place in 0..10 {
        let byte = reader.byte()?;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(reader.wrong(TOO_EARLY))
}
