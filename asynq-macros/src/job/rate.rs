//! [`Rate`]: how many in what time, as people write it: `"100/s"`, `"10/30s"`.

use syn::{Error, Expr, ExprLit, Lit, Result};

use crate::duration;

/// The most in a period that a limit can count.
const MOST: u32 = 10_000;

/// The longest period: 31 days, in seconds.
const LONGEST: u64 = 31 * 86_400;

const EXAMPLE: &str = "such as \"100/s\", \"10/m\" or \"10/30s\"";

/// How many tasks may begin in how many seconds.
pub(super) struct Rate {
    pub(super) most: u32,
    pub(super) seconds: u64,
}

/// The rate that a string literal says.
pub(super) fn read(value: &Expr) -> Result<Rate> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            parse(&text.value()).map_err(|message| Error::new(text.span(), message))
        }
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
            let number_text = number.base10_digits();
            let message = format!("a rate has a period; write \"{number_text}/s\" or \"{number_text}/m\"");
            Err(Error::new(number.span(), message))
        }
        _ => Err(Error::new_spanned(
            value,
            format!(
                "a rate is a string literal, {EXAMPLE}; one that is only known when the worker starts, or that \
                 counts by a key, is a layer: `layer = my_limit()`, which makes a `RateLimit`"
            ),
        )),
    }
}

/// What `text` means; otherwise what is wrong with it and what to write.
fn parse(text: &str) -> std::result::Result<Rate, String> {
    let Some((number, period)) = text.split_once('/') else {
        return match text.trim().parse::<u32>() {
            Ok(number) => Err(format!("rate {text:?} has no period; write \"{number}/s\" or \"{number}/m\"")),
            Err(_) => Err(format!("{text:?} is not a rate; write one {EXAMPLE}")),
        };
    };
    let (number, period) = (number.trim(), period.trim());
    let most = match number.parse::<u32>() {
        Ok(most @ 1..=MOST) => most,
        _ if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) => {
            return Err(format!(
                "the number in a rate is from 1 to {MOST}, for every run is remembered as long as the period; for more, \
                 write a shorter period, \"1000/s\" instead of \"60000/m\""
            ));
        }
        _ => return Err(format!("{text:?} is not a rate: it begins with a whole number, {EXAMPLE}")),
    };
    let spelled = if period.starts_with(|c: char| c.is_ascii_digit()) {
        period.to_owned()
    } else {
        format!("1{}", alone(period))
    };
    let seconds = duration::seconds(&spelled).map_err(|message| match period {
        "" => format!("rate {text:?} has no period; write \"{most}/s\" or \"{most}/m\""),
        _ => format!("the period of rate {text:?}: {message}"),
    })?;
    if seconds > LONGEST {
        return Err(format!(
            "the period of rate {text:?} is too long; the longest is 31 days, \"{most}/31d\""
        ));
    }
    Ok(Rate { most, seconds })
}

/// A unit in the spelling of durations.
fn alone(unit: &str) -> &str {
    match unit {
        "sec" | "second" => "s",
        "min" | "minute" => "m",
        "hour" => "h",
        "day" => "d",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_number_and_a_period() {
        for (text, most, seconds) in [
            ("100/s", 100, 1),
            ("10/m", 10, 60),
            ("1000/h", 1_000, 3_600),
            ("1/d", 1, 86_400),
            ("10000 / 30s", 10_000, 30),
            ("5/1m30s", 5, 90),
            ("10/minute", 10, 60),
            ("1/31d", 1, 2_678_400),
        ] {
            let rate = parse(text).unwrap();
            assert_eq!((rate.most, rate.seconds), (most, seconds), "{text}");
        }
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (text, remedy) in [
            ("", "is not a rate"),
            ("fast", "is not a rate"),
            ("100", "write \"100/s\""),
            ("100/", "write \"100/s\""),
            ("0/s", "from 1 to 10000"),
            ("10001/s", "from 1 to 10000"),
            ("99999999999/s", "from 1 to 10000"),
            ("-1/s", "begins with a whole number"),
            ("1.5/s", "begins with a whole number"),
            ("10/fortnight", "is not a unit"),
            ("10/500ms", "whole seconds"),
            ("10/0s", "is zero"),
            ("10/32d", "the longest is 31 days"),
        ] {
            let error = parse(text).err().unwrap();
            assert!(error.contains(remedy), "{text}: {error}");
        }
    }
}
