//! Everything from outside, through the facade: on a real Redis, beside the real Go asynq, with real processes.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod clock;
mod codecs;
mod comparison;
mod conformance;
mod connect;
mod contract;
mod crash;
mod doctor;
#[cfg(feature = "rustls")]
mod encryption;
mod examples;
mod failures;
mod faults;
mod forms;
mod gathering;
mod go_json;
mod groups;
mod hostile;
mod inspector;
mod interop;
mod job;
mod known_issues;
mod large;
mod later;
mod life;
mod limits;
mod middleware;
mod model;
mod old_servers;
#[cfg(all(feature = "encryption", feature = "zstd"))]
mod payloads;
mod periodic;
mod permissions;
mod prefetch;
mod queues;
#[cfg(all(feature = "cbor", feature = "msgpack", feature = "protobuf"))]
mod readers;
mod results;
#[cfg(feature = "schemars")]
mod schemas;
mod stored_schedules;
mod support;
mod testing;
mod transfer;
mod typed;
mod unique;
mod vectors;
mod versions;
mod worker;
