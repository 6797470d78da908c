//! [`nanos`]: Go's text of a duration.

const SECOND: u64 = 1_000_000_000;

/// The magnitude of the least duration. Go's checks for overflow are against this number.
const LIMIT: u64 = i64::MIN.unsigned_abs();

/// The nanoseconds of a duration as Go writes one, such as `1h30m`, `1.5s` or `-300ms`; nothing for any other text.
pub fn nanos(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned.is_empty() {
        return None;
    }
    // Zero is the one number that needs no unit.
    let total = if unsigned == "0" { 0 } else { sum(unsigned)? };
    if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() }
}

/// The sum of `number unit` pairs, in nanoseconds.
fn sum(mut rest: &str) -> Option<u64> {
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end)?;
        let unit = unit(name)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        if whole > LIMIT / unit {
            return None;
        }
        let nanos = whole * unit + fraction_of(unit, fraction);
        total = total.checked_add(nanos).filter(|&total| nanos <= LIMIT && total <= LIMIT)?;
        rest = after;
    }
    Some(total)
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => return None,
    })
}

/// `0.digits` of a unit. Digits too small to matter are left out; the arithmetic is Go's, to the last nanosecond.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Go computes in floats and cuts; the product is less than one unit"
)]
fn fraction_of(unit: u64, digits: &str) -> u64 {
    let (mut number, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let longer = (number <= i64::MAX.unsigned_abs() / 10).then(|| number * 10 + u64::from(digit - b'0'));
        let Some(longer) = longer.filter(|&longer| longer <= LIMIT) else { break };
        number = longer;
        scale *= 10.0;
    }
    (number as f64 * (unit as f64 / scale)) as u64
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
