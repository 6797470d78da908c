//! [`Compressed`]: a codec whose bytes the client compresses.

use std::marker::PhantomData;

use bytes::Bytes;

use super::{Codec, CodecError};
use crate::task::Layers;

/// Encodes as `C`, and has the client compress it, as its [`Payloads`](crate::payload::Payloads) say:
/// `#[job(codec = Compressed<Json>)]`.
///
/// The codec itself only asks for it, so [`Job::encode`](crate::job::Job::encode) gives the bytes of `C`, a job may change
/// from `C` to this one and back at any time, and a task that is stored as it is can be read, too.
#[derive(Clone, Copy, Debug)]
pub struct Compressed<C>(PhantomData<C>);

#[diagnostic::do_not_recommend]
impl<T, C: Codec<T>> Codec<T> for Compressed<C> {
    const NAME: Option<&'static str> = C::NAME;
    const LAYERS: Layers = C::LAYERS.compressed();

    fn encode(value: &T) -> Result<Bytes, CodecError> {
        C::encode(value)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        C::decode(bytes)
    }
}
