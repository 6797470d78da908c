//! A chart as small as a word.

use maud::{Markup, html};

use super::plot::line;

/// Numbers as a line in a row of a table; `label` says what they are.
pub(in crate::pages) fn sparkline(values: &[Option<f64>], label: &str) -> Markup {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    html! {
        @if values.iter().any(Option::is_some) {
            svg.spark viewBox="0 -4 1000 108" preserveAspectRatio="none" role="img" aria-label=(label) {
                title { (label) }
                path d=(line(values, most)) {}
            }
        }
    }
}
