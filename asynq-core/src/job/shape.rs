//! [`PayloadShape`]: what the payload of a job holds, told without an instance.

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
