//! [`PayloadShape`] and [`PayloadForm`]: what the payload of a job holds and how it is written, told without an instance.

use super::{Codec, Earlier, Job};

/// What the payload of a job holds, as far as its source tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadShape {
    /// An object of these fields.
    Fields(&'static [PayloadField]),
    /// The encoding of one type, written as in the source.
    Value(&'static str),
    /// Whatever a job holds that was implemented by hand.
    Unknown,
}

/// A field of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadField {
    /// Its name in the payload.
    pub name: &'static str,
    /// Its type, as written in the source.
    pub ty: &'static str,
    /// Whether a payload without it is refused.
    pub required: bool,
}

/// How the payload of a job is written, and which earlier forms of it are read.
#[derive(Clone, Copy, Debug)]
pub struct PayloadForm {
    /// The name of the codec; none for JSON.
    pub codec: Option<&'static str>,
    /// The version.
    pub version: u32,
    /// The earlier versions that are read, by their place; `None` after the last.
    pub earlier: fn(usize) -> Option<u32>,
}

impl PayloadForm {
    /// That of a job.
    pub const fn of<J: Job>() -> Self {
        Self {
            codec: J::Codec::NAME,
            version: J::VERSION,
            earlier: |place| J::EARLIER.get(place).map(Earlier::version),
        }
    }

    /// The earlier versions that are read, as they were declared.
    pub(crate) fn earlier(&self) -> impl Iterator<Item = u32> {
        (0..).map_while(self.earlier)
    }
}
