//! Metrics of real stores and real workers.

mod cluster;
mod cost;
mod dashboards;
mod down;
mod go;
mod prometheus;
mod scrape;
mod support;
mod worker;
