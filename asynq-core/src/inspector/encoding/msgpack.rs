//! `MessagePack`, as JSON.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::encoding::Wrong;
use super::reader::{DEEPEST, Reader, TOO_DEEP, UNKNOWN, float, name, quoted, single, text};

/// The type of an extension that is a time.
const TIME: i8 = -1;

pub(super) fn to_json(bytes: &[u8]) -> Result<String, Wrong> {
    let mut reader = Reader::new(bytes);
    let mut out = String::with_capacity(bytes.len());
    value(&mut reader, DEEPEST, &mut out)?;
    reader.end()?;
    Ok(out)
}

fn value(reader: &mut Reader<'_>, depth: usize, out: &mut String) -> Result<(), Wrong> {
    let marker = reader.byte()?;
    match marker {
        0x00..=0x7f => out.push_str(&marker.to_string()),
        0x80..=0x8f => map(reader, u64::from(marker & 0x0f), depth, out)?,
        0x90..=0x9f => list(reader, u64::from(marker & 0x0f), depth, out)?,
        0xa0..=0xbf => out.push_str(&text(reader.take(usize::from(marker & 0x1f))?)),
        0xc0 => out.push_str("null"),
        0xc2 => out.push_str("false"),
        0xc3 => out.push_str("true"),
        0xc4..=0xc6 | 0xd9..=0xdb => {
            let first = if marker < 0xd0 { 0xc4 } else { 0xd9 };
            let length = reader.number(1 << (marker - first))?;
            out.push_str(&text(reader.take_counted(length)?));
        }
        0xc7..=0xc9 => {
            let length = reader.number(1 << (marker - 0xc7))?;
            extension(reader, length, out)?;
        }
        0xca => out.push_str(&single(f32::from_bits(low(reader.number(4)?)))),
        0xcb => out.push_str(&float(f64::from_bits(reader.number(8)?))),
        0xcc..=0xcf => out.push_str(&reader.number(1 << (marker - 0xcc))?.to_string()),
        0xd0..=0xd3 => out.push_str(&signed(reader, 1 << (marker - 0xd0))?.to_string()),
        0xd4..=0xd8 => extension(reader, 1 << (marker - 0xd4), out)?,
        0xdc | 0xdd => {
            let items = reader.number(if marker == 0xdc { 2 } else { 4 })?;
            list(reader, items, depth, out)?;
        }
        0xde | 0xdf => {
            let fields = reader.number(if marker == 0xde { 2 } else { 4 })?;
            map(reader, fields, depth, out)?;
        }
        0xe0..=0xff => out.push_str(&i8::from_be_bytes([marker]).to_string()),
        0xc1 => return Err(reader.wrong(UNKNOWN)),
    }
    Ok(())
}

fn list(reader: &mut Reader<'_>, items: u64, depth: usize, out: &mut String) -> Result<(), Wrong> {
    let depth = depth.checked_sub(1).ok_or_else(|| reader.wrong(TOO_DEEP))?;
    out.push('[');
    for place in 0..items {
        if place > 0 {
            out.push(',');
        }
        value(reader, depth, out)?;
    }
    out.push(']');
    Ok(())
}

fn map(reader: &mut Reader<'_>, fields: u64, depth: usize, out: &mut String) -> Result<(), Wrong> {
    let depth = depth.checked_sub(1).ok_or_else(|| reader.wrong(TOO_DEEP))?;
    out.push('{');
    for place in 0..fields {
        if place > 0 {
            out.push(',');
        }
        let mut key = String::new();
        value(reader, depth, &mut key)?;
        out.push_str(&name(key));
        out.push(':');
        value(reader, depth, out)?;
    }
    out.push('}');
    Ok(())
}

fn signed(reader: &mut Reader<'_>, width: usize) -> Result<i64, Wrong> {
    let number = reader.number(width)?;
    // What is before the sign is filled with it.
    let unused = 64_usize.saturating_sub(8 * width);
    Ok((number << unused).cast_signed() >> unused)
}

fn extension(reader: &mut Reader<'_>, length: u64, out: &mut String) -> Result<(), Wrong> {
    let kind = i8::from_be_bytes([reader.byte()?]);
    let data = reader.take_counted(length)?;
    match time(data).filter(|_| kind == TIME) {
        Some(at) => out.push_str(&quoted(&at.to_string())),
        None => {
            // Writing to a text cannot fail.
            _ = write!(out, "{{\"extension\":{kind},\"data\":{}}}", text(data));
        }
    }
    Ok(())
}

/// A time: seconds, in the two longer forms with nanoseconds before them.
fn time(data: &[u8]) -> Option<Timestamp> {
    let mut reader = Reader::new(data);
    let (seconds, nanos) = match data.len() {
        4 => (reader.number(4).ok()?.cast_signed(), 0),
        8 => {
            let both = reader.number(8).ok()?;
            ((both & 0x3_ffff_ffff).cast_signed(), both >> 34)
        }
        12 => {
            let nanos = reader.number(4).ok()?;
            (reader.number(8).ok()?.cast_signed(), nanos)
        }
        _ => return None,
    };
    Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()
}

fn low(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default()
}
