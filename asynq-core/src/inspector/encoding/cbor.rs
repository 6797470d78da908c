//! CBOR, as JSON.

use std::fmt::Write as _;

use super::encoding::Wrong;
use super::reader::{DEEPEST, Reader, TOO_DEEP, UNKNOWN, float, name, single, text};

/// Whatever has begun without a length ends with this byte.
const END: u8 = 0xff;

const END_OF_NOTHING: &str = "an end of nothing";

pub(super) fn to_json(bytes: &[u8]) -> Result<String, Wrong> {
    let mut reader = Reader::new(bytes);
    let mut out = String::with_capacity(bytes.len());
    let head = reader.byte()?;
    value(&mut reader, head, DEEPEST, &mut out)?;
    reader.end()?;
    Ok(out)
}

/// A value that begins with this byte.
fn value(reader: &mut Reader<'_>, head: u8, depth: usize, out: &mut String) -> Result<(), Wrong> {
    if head == END {
        return Err(reader.wrong(END_OF_NOTHING));
    }
    let (major, info) = (head >> 5, head & 0x1f);
    if major == 7 {
        return simple(reader, info, out);
    }
    let number = argument(reader, info)?;
    match (major, number) {
        (0, Some(number)) => out.push_str(&number.to_string()),
        (1, Some(number)) => out.push_str(&(-1 - i128::from(number)).to_string()),
        (2 | 3, length) => out.push_str(&text(&string(reader, major, length)?)),
        (4, items) => list(reader, items, inner(reader, depth)?, out)?,
        (5, fields) => map(reader, fields, inner(reader, depth)?, out)?,
        // A tag says what the value behind it is for; the value is told without it.
        (6, Some(_)) => {
            let head = reader.byte()?;
            value(reader, head, inner(reader, depth)?, out)?;
        }
        _ => return Err(reader.wrong(UNKNOWN)),
    }
    Ok(())
}

fn inner(reader: &Reader<'_>, depth: usize) -> Result<usize, Wrong> {
    depth.checked_sub(1).ok_or_else(|| reader.wrong(TOO_DEEP))
}

/// The number behind the first byte; none where it has no end of its own.
fn argument(reader: &mut Reader<'_>, info: u8) -> Result<Option<u64>, Wrong> {
    match info {
        0..=23 => Ok(Some(u64::from(info))),
        24..=27 => reader.number(1 << (info - 24)).map(Some),
        31 => Ok(None),
        _ => Err(reader.wrong(UNKNOWN)),
    }
}

/// Bytes or a text: whole, or piece by piece.
fn string(reader: &mut Reader<'_>, major: u8, length: Option<u64>) -> Result<Vec<u8>, Wrong> {
    if let Some(length) = length {
        return reader.take_counted(length).map(<[u8]>::to_vec);
    }
    let mut whole = Vec::new();
    loop {
        let head = reader.byte()?;
        if head == END {
            return Ok(whole);
        }
        match argument(reader, head & 0x1f)? {
            Some(length) if head >> 5 == major => whole.extend_from_slice(reader.take_counted(length)?),
            _ => return Err(reader.wrong(UNKNOWN)),
        }
    }
}

/// How the next part of a list or a map begins; none at its end.
fn next(reader: &mut Reader<'_>, left: &mut Option<u64>) -> Result<Option<u8>, Wrong> {
    match left {
        Some(0) => return Ok(None),
        Some(left) => *left -= 1,
        None => {}
    }
    let head = reader.byte()?;
    Ok(Some(head).filter(|head| left.is_some() || *head != END))
}

fn list(reader: &mut Reader<'_>, mut left: Option<u64>, depth: usize, out: &mut String) -> Result<(), Wrong> {
    out.push('[');
    let mut comma = "";
    while let Some(head) = next(reader, &mut left)? {
        out.push_str(comma);
        comma = ",";
        value(reader, head, depth, out)?;
    }
    out.push(']');
    Ok(())
}

fn map(reader: &mut Reader<'_>, mut left: Option<u64>, depth: usize, out: &mut String) -> Result<(), Wrong> {
    out.push('{');
    let mut comma = "";
    while let Some(head) = next(reader, &mut left)? {
        out.push_str(comma);
        comma = ",";
        let mut key = String::new();
        value(reader, head, depth, &mut key)?;
        out.push_str(&name(key));
        out.push(':');
        let head = reader.byte()?;
        value(reader, head, depth, out)?;
    }
    out.push('}');
    Ok(())
}

fn simple(reader: &mut Reader<'_>, info: u8, out: &mut String) -> Result<(), Wrong> {
    // Writing to a text cannot fail.
    match info {
        20 => out.push_str("false"),
        21 => out.push_str("true"),
        22 | 23 => out.push_str("null"),
        25 => out.push_str(&float(half(reader.number(2)?))),
        26 => out.push_str(&single(f32::from_bits(u32::try_from(reader.number(4)?).unwrap_or_default()))),
        27 => out.push_str(&float(f64::from_bits(reader.number(8)?))),
        0..=19 => _ = write!(out, "\"simple({info})\""),
        24 => _ = write!(out, "\"simple({})\"", reader.byte()?),
        _ => return Err(reader.wrong(UNKNOWN)),
    }
    Ok(())
}

/// A number of half precision: a sign, five bits of exponent, ten of fraction.
fn half(bits: u64) -> f64 {
    let fraction = f64::from(u16::try_from(bits & 0x3ff).unwrap_or_default());
    let exponent = i32::try_from(bits >> 10 & 0x1f).unwrap_or_default();
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (1.0 + fraction / 1_024.0) * 2_f64.powi(exponent - 15),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
