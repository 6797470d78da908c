//! [`Encrypted`]: a codec whose bytes the client encrypts.

use std::marker::PhantomData;

use bytes::Bytes;

use super::{Codec, CodecError};
use crate::task::Layers;

/// Encodes as `C`, and has the client encrypt it with the keys of its [`Payloads`](crate::payload::Payloads):
/// `#[job(codec = Encrypted<Json>)]`, or `Encrypted<Compressed<Json>>`. Which of the two is written first makes no
/// difference: it is always compressed before.
///
/// The codec itself only asks for it, so [`Job::encode`](crate::job::Job::encode) gives the bytes of `C`, a job may change
/// from `C` to this one and back at any time, and a task that is stored as it is can be read, too, unless the worker takes
/// [only what is encrypted](crate::payload::Payloads::only_encrypted). A client without keys refuses to enqueue it.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted<C>(PhantomData<C>);

#[diagnostic::do_not_recommend]
impl<T, C: Codec<T>> Codec<T> for Encrypted<C> {
    const NAME: Option<&'static str> = C::NAME;
    const LAYERS: Layers = C::LAYERS.encrypted();

    fn encode(value: &T) -> Result<Bytes, CodecError> {
        C::encode(value)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        C::decode(bytes)
    }
}
