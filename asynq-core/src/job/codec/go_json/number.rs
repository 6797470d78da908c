//! Floating-point numbers as Go writes them. Pure.

use std::fmt::{LowerExp, Write};

/// The shortest digits that read back as the same number; with an exponent below 10⁻⁶ and from 10²¹ on. Go's rule is
/// that of ECMAScript. `None` when the number is not finite.
pub(super) fn float<F: Into<f64> + LowerExp + Copy>(number: F) -> Option<String> {
    let value: f64 = number.into();
    if !value.is_finite() {
        return None;
    }
    // The digits are those of the type itself: an `f32` has fewer.
    let shortest = format!("{number:e}");
    let (mantissa, exponent) = shortest.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    if value != 0.0 && !(-6..21).contains(&exponent) {
        let sign = if exponent < 0 { "" } else { "+" };
        return Some(format!("{mantissa}e{sign}{exponent}"));
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(|&digit| digit != '.').collect();
    Some(plain(sign, &digits, exponent))
}

/// `digits`, with the point behind the first one, times ten to the `exponent`, written out.
fn plain(sign: &str, digits: &str, exponent: i32) -> String {
    let mut text = sign.to_owned();
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    if whole == 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(digits);
    } else if digits.len() <= whole {
        // Writing to a text cannot fail.
        _ = write!(text, "{digits:0<whole$}");
    } else {
        let (before, after) = digits.split_at(whole);
        _ = write!(text, "{before}.{after}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_go() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (123_456.789, "123456.789"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (0.000_001, "0.000001"),
            (0.000_000_9, "9e-7"),
            (-1.25e-9, "-1.25e-9"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(float(number).as_deref(), Some(text));
        }
        assert_eq!(float(0.1_f32).as_deref(), Some("0.1"));
        assert_eq!(float(16_777_216_f32).as_deref(), Some("16777216"));
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(float(number), None);
        }
    }
}
