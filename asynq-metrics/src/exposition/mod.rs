//! Metrics as Prometheus knows them, and its text format.

mod family;
mod text;

pub use family::{Family, Histogram, Kind, Sample, Value};
pub use text::{CONTENT_TYPE, text};
