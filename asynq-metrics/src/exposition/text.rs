//! [`text`]: families in the text format of Prometheus, version 0.0.4.
//!
//! Compat: what Go's client library would write for the same samples, down to the order and the form of numbers, so that
//! a scrape of ours and one of Go's exporter can be compared byte for byte.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use super::family::{Family, Kind, Sample, Value};

/// The content type of [`text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Families as text, by name, and samples by their labels. A family without samples is left out; families of one name, as
/// from several workers in a process, must be joined before.
///
/// ```
/// use asynq_metrics::{Family, Kind, text};
///
/// let up = Family::new("up", Kind::Gauge, "Whether it is up.").with(1.0);
/// assert_eq!(text(&[up]), "# HELP up Whether it is up.\n# TYPE up gauge\nup 1\n");
/// ```
pub fn text(families: &[Family]) -> String {
    let mut families: Vec<&Family> = families.iter().filter(|family| !family.samples.is_empty()).collect();
    families.sort_by_key(|family| family.name);
    families.into_iter().map(|family| Lines(family).to_string()).collect()
}

/// A family as text.
struct Lines<'a>(&'a Family);

impl Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Family { name, help, kind, samples } = self.0;
        writeln!(f, "# HELP {name} {}", Escaped(help, false))?;
        writeln!(f, "# TYPE {name} {kind}")?;
        let mut samples: Vec<&Sample> = samples.iter().collect();
        samples.sort_by(|one, two| values(one).cmp(values(two)));
        for Sample { labels, value } in samples {
            match value {
                Value::Number(number) => writeln!(f, "{name}{} {}", Labels(labels, None), Number(*number))?,
                Value::Histogram(histogram) => {
                    for (bound, count) in &histogram.buckets {
                        writeln!(f, "{name}_bucket{} {count}", Labels(labels, Some(*bound)))?;
                    }
                    let count = histogram.buckets.last().map_or(0, |(_, count)| *count);
                    writeln!(f, "{name}_sum{} {}", Labels(labels, None), Number(histogram.sum))?;
                    writeln!(f, "{name}_count{} {count}", Labels(labels, None))?;
                }
            }
        }
        Ok(())
    }
}

fn values(sample: &Sample) -> impl Iterator<Item = &str> {
    sample.labels.iter().map(|(_, value)| &**value)
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// Labels in braces, with the upper bound of a bucket if it is one; nothing without labels.
struct Labels<'a>(&'a [(&'static str, Arc<str>)], Option<f64>);

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(labels, bound) = self;
        let mut before = '{';
        for (name, value) in *labels {
            write!(f, "{before}{name}=\"{}\"", Escaped(value, true))?;
            before = ',';
        }
        if let Some(bound) = bound {
            write!(f, "{before}le=\"{}\"", Number(*bound))?;
            before = ',';
        }
        if before == ',' { f.write_char('}') } else { Ok(()) }
    }
}

/// Text that holds no line break; in quotes, no quote either.
struct Escaped<'a>(&'a str, bool);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, is_quoted) = self;
        for char in text.chars() {
            match char {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' if *is_quoted => f.write_str("\\\"")?,
                char => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

/// A number with as many digits as tell it from others; with an exponent below 0.0001 and from a million on.
struct Number(f64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = *self;
        if number.is_nan() {
            return f.write_str("NaN");
        }
        if number.is_infinite() {
            return f.write_str(if number > 0.0 { "+Inf" } else { "-Inf" });
        }
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if !(-4..6).contains(&exponent) {
            let sign = if exponent < 0 { '-' } else { '+' };
            return write!(f, "{digits}e{sign}{:02}", exponent.abs());
        }
        write!(f, "{number}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::Histogram;
    use super::*;

    #[test]
    fn numbers_look_as_go_writes_them() {
        // By strconv.FormatFloat(x, 'g', -1, 64).
        for (number, form) in [
            (0.0, "0"),
            (-1.0, "-1"),
            (1.5, "1.5"),
            (123_456.0, "123456"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (123_456_789.5, "1.234567895e+08"),
            (1_764_405_123.25, "1.76440512325e+09"),
            (1e22, "1e+22"),
            (0.0001, "0.0001"),
            (0.000_12, "0.00012"),
            (0.000_01, "1e-05"),
            (0.000_012_345, "1.2345e-05"),
            (2.5e-7, "2.5e-07"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(Number(number).to_string(), form);
        }
    }

    #[test]
    fn families_and_samples_are_sorted_and_what_is_in_quotes_stays_there() {
        let mut sizes = Family::new("b_size", Kind::Gauge, "How much.\nBack\\slash, \"quotes\".");
        sizes.push([("queue", Arc::from("z")), ("state", Arc::from("a"))], Value::Number(2.0));
        sizes.push([("queue", Arc::from("a\"\\\n")), ("state", Arc::from("ü"))], Value::Number(1.0));
        let none = Family::new("a_none", Kind::Counter, "Has no samples.");
        let first = Family::new("a_first", Kind::Counter, "Comes first.").with(1e9);
        assert_eq!(
            text(&[sizes, none, first]),
            concat!(
                "# HELP a_first Comes first.\n",
                "# TYPE a_first counter\n",
                "a_first 1e+09\n",
                "# HELP b_size How much.\\nBack\\\\slash, \"quotes\".\n",
                "# TYPE b_size gauge\n",
                "b_size{queue=\"a\\\"\\\\\\n\",state=\"ü\"} 1\n",
                "b_size{queue=\"z\",state=\"a\"} 2\n",
            )
        );
    }

    #[test]
    fn a_histogram_has_a_line_for_each_bucket() {
        let mut family = Family::new("h", Kind::Histogram, "H.");
        let buckets = vec![(0.5, 1), (1.0, 1), (f64::INFINITY, 3)];
        family.push([("type", Arc::from("t"))], Value::Histogram(Histogram { buckets, sum: 7.25 }));
        assert_eq!(
            text(&[family]),
            concat!(
                "# HELP h H.\n",
                "# TYPE h histogram\n",
                "h_bucket{type=\"t\",le=\"0.5\"} 1\n",
                "h_bucket{type=\"t\",le=\"1\"} 1\n",
                "h_bucket{type=\"t\",le=\"+Inf\"} 3\n",
                "h_sum{type=\"t\"} 7.25\n",
                "h_count{type=\"t\"} 3\n",
            )
        );
    }
}
