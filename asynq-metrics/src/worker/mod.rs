//! What one worker runs, by queue and type.

mod histogram;
mod series;
mod worker_metrics;

pub use worker_metrics::WorkerMetrics;
