//! [`Whole`]: a payload that is one argument, and not a structure of all of them.

use std::marker::PhantomData;

use bytes::Bytes;

use super::{Codec, CodecError};
use crate::task::Layers;

/// A job whose payload is the encoding of its only argument: `#[job(transparent)]` implements it.
pub trait Transparent {
    /// The argument.
    type Value;

    /// The argument of a job.
    fn value(&self) -> &Self::Value;

    /// The job with an argument.
    fn of_value(value: Self::Value) -> Self;
}

/// Encodes a [`Transparent`] job as `C` encodes its argument.
#[derive(Clone, Copy, Debug)]
pub struct Whole<C>(PhantomData<C>);

impl<J: Transparent, C: Codec<J::Value>> Codec<J> for Whole<C> {
    const NAME: Option<&'static str> = C::NAME;
    const LAYERS: Layers = C::LAYERS;

    fn encode(job: &J) -> Result<Bytes, CodecError> {
        C::encode(job.value())
    }

    fn decode(bytes: &[u8]) -> Result<J, CodecError> {
        C::decode(bytes).map(J::of_value)
    }
}
