//! Metrics of real stores and real workers.

mod cluster;
mod cost;
mod down;
mod go;
mod scrape;
mod support;
mod worker;
