//! Charts of a Prometheus that somebody else runs: asked by this process, so that no browser learns where it is.
//!
//! `prometheus.rs` is how it is asked, `connection.rs` one exchange of HTTP, `answer.rs` what comes back, `queries.rs` what is
//! asked for, `tls.rs` whose certificates are accepted.

mod answer;
mod connection;
mod prometheus;
mod queries;
mod tls;

pub(crate) use answer::Series;
pub(crate) use prometheus::Prometheus;
pub use prometheus::PrometheusError;
pub(crate) use queries::{QUERIES, Query, sum_of};
