//! Charts: SVG that the server makes, with the same numbers as a table for who does not see it.
//!
//! `chart.rs` is a chart with its title, legend and axes, `plot.rs` the lines and areas in it, `sparkline.rs` a chart as
//! small as a word.

mod chart;
mod plot;
mod sparkline;

pub(super) use chart::{Chart, Form, Line};
pub(super) use sparkline::sparkline;
