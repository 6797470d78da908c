//! [`Protobuf`]: messages of prost.

use bytes::Bytes;
use prost::Message;

use super::{Codec, CodecError};

/// Protocol buffers: the payload is a message of prost, which is the only argument of the job, or the job itself.
///
/// A message reads what was written with fields that it does not know, and has the default where one is missing, so it
/// changes as protocol buffers do. What is left of the payload of another job may be read without an error, too: that
/// is why tasks are marked.
///
/// ```
/// use asynq_core::job::{Codec, Protobuf};
///
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct Order {
///     #[prost(uint64, tag = "1")]
///     id: u64,
/// }
///
/// let bytes = Protobuf::encode(&Order { id: 150 }).unwrap();
/// assert_eq!(bytes.as_ref(), [0x08, 0x96, 0x01]);
/// assert_eq!(<Protobuf as Codec<Order>>::decode(&bytes).unwrap().id, 150);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Protobuf;

#[diagnostic::do_not_recommend]
impl<T: Message + Default> Codec<T> for Protobuf {
    const NAME: Option<&'static str> = Some("protobuf");

    fn encode(value: &T) -> Result<Bytes, CodecError> {
        Ok(value.encode_to_vec().into())
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        let mut rest = bytes;
        // Prost's message names message and field, and no value.
        T::decode(&mut rest)
            .map_err(|error| CodecError::new(error).at_byte(bytes.len().saturating_sub(rest.len())))
    }
}
