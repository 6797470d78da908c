//! Times, lengths of time, sizes and payloads, as people write and read them on this machine.

pub(crate) use asynq_core::inspector::human::{
    duration, error_rate, hex_dump, laid_out, length, line, printable, relative, size,
};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A [moment](asynq_core::inspector::human::moment), of this machine's zone.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    asynq_core::inspector::human::moment(text, &Zoned::now())
}

/// A moment in this machine's zone, to the second.
pub(crate) fn local(at: Timestamp) -> String {
    // Tests look the same everywhere.
    let zone = if cfg!(test) { TimeZone::UTC } else { TimeZone::system() };
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// A moment for programs: RFC 3339, UTC.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    at.to_string()
}
