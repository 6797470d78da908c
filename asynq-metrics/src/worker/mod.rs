//! What one worker runs, by queue and type.

mod worker_metrics;

pub use worker_metrics::WorkerMetrics;
