//! Codecs: what one writes it reads, and whatever bytes it is given, it neither panics nor asks for memory.

use std::collections::BTreeMap;
use std::fmt::Debug;

use asynq::{Codec, GoJson, Json, Raw};
use bytes::Bytes;
use proptest::arbitrary::any;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    signed: i64,
    unsigned: u64,
    small: i8,
    float: f64,
    letter: char,
    text: String,
    list: Vec<u16>,
    pair: (u8, String),
    map: BTreeMap<String, i32>,
    maybe: Option<u32>,
    unit: (),
    kind: Kind,
    #[serde(default)]
    kinds: Vec<Kind>,
    inner: Option<Box<Self>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Unit,
    One(u32),
    Two(u8, u8),
    Named { a: String, b: Vec<u8> },
}

/// What bytes are read as beside it: of no type of ours, of elements whose list would not fit into memory, and nested.
#[derive(Debug, Deserialize, Serialize)]
struct Wide([u64; 32]);

#[derive(Debug, Deserialize, Serialize)]
enum Nested {
    Leaf,
    Node(Vec<Self>),
    Link(Box<Self>),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unit),
        any::<u32>().prop_map(Kind::One),
        any::<(u8, u8)>().prop_map(|(a, b)| Kind::Two(a, b)),
        (any::<String>(), vec(any::<u8>(), 0..9)).prop_map(|(a, b)| Kind::Named { a, b }),
    ]
}

fn leaf() -> impl Strategy<Value = Everything> {
    let float = any::<f64>().prop_filter("JSON has no other", |number| number.is_finite());
    let scalars = (any::<bool>(), any::<i64>(), any::<u64>(), any::<i8>(), float, any::<char>());
    let rest = (
        any::<String>(),
        vec(any::<u16>(), 0..20),
        (any::<u8>(), any::<String>()),
        btree_map(any::<String>(), any::<i32>(), 0..5),
        option::of(any::<u32>()),
        kind(),
        vec(kind(), 0..4),
    );
    (scalars, rest).prop_map(
        |((flag, signed, unsigned, small, float, letter), (text, list, pair, map, maybe, kind, kinds))| {
            Everything {
                flag,
                signed,
                unsigned,
                small,
                float,
                letter,
                text,
                list,
                pair,
                map,
                maybe,
                unit: (),
                kind,
                kinds,
                inner: None,
            }
        },
    )
}

fn everything() -> impl Strategy<Value = Everything> {
    (leaf(), option::of(leaf())).prop_map(|(leaf, inner)| Everything { inner: inner.map(Box::new), ..leaf })
}

/// A value comes back; and of its bytes, cut and changed somewhere, only an error or another value.
fn comes_back<C: Codec<Everything>>(
    value: &Everything,
    at: prop::sample::Index,
    byte: u8,
) -> Result<(), TestCaseError> {
    let bytes = C::encode(value).unwrap();
    prop_assert_eq!(&C::decode(&bytes).unwrap(), value);
    let at = at.index(bytes.len());
    prop_assert!(C::decode(&bytes[..at]).is_err(), "what is cut off is not whole");
    let mut changed = bytes.to_vec();
    changed[at] = byte;
    drop(C::decode(&changed));
    let longer = [&bytes[..], b"\0"].concat();
    prop_assert!(C::decode(&longer).is_err(), "what follows is not ignored");
    Ok(())
}

/// Reads bytes as whatever there is.
fn read_as_anything<C>(bytes: &[u8])
where
    C: Codec<Everything> + Codec<Vec<Wide>> + Codec<Nested> + Codec<serde_json::Value> + Codec<Vec<()>>,
    C: Codec<BTreeMap<String, Vec<Wide>>> + Codec<String> + Codec<Option<u128>>,
{
    fn read<C: Codec<T>, T>(bytes: &[u8]) {
        if let Err(error) = C::decode(bytes) {
            let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
            assert!(text.len() < 1_000, "{text}");
        }
    }
    read::<C, Everything>(bytes);
    read::<C, Vec<Wide>>(bytes);
    read::<C, Nested>(bytes);
    read::<C, serde_json::Value>(bytes);
    read::<C, Vec<()>>(bytes);
    read::<C, BTreeMap<String, Vec<Wide>>>(bytes);
    read::<C, String>(bytes);
    read::<C, Option<u128>>(bytes);
}

/// Bytes that begin as those of a value do, or as lists that claim to be as long as a length can say.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let lengths: &[&[u8]] = &[
        b"\xdd\xff\xff\xff\xff", // MessagePack: list, map, text, bytes, extension
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", // CBOR: list, map, text, bytes, of lengths known or not
        b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x9f\x9f\x9f",
        b"\x7f\x7f",
        b"\xc2\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x0a\xff\xff\xff\xff\x0f", // protobuf: a field of two billion bytes
        b"{\"list\":[",
        b"{\"Link\":",
    ];
    let start = prop::sample::select(lengths);
    let known = (start, vec(any::<u8>(), 0..40), 1..4_usize)
        .prop_map(|(start, rest, times)| [start.repeat(times), rest].concat());
    prop_oneof![known, vec(any::<u8>(), 0..200)]
}

fn is_exact<C, T>(value: &T, encoded: &[u8])
where
    C: Codec<T>,
    T: Debug + PartialEq + Serialize + DeserializeOwned,
{
    assert_eq!(C::encode(value).unwrap(), encoded);
    assert_eq!(&C::decode(encoded).unwrap(), value);
}

proptest! {
    #[test]
    fn what_json_writes_it_reads(value in everything(), at: prop::sample::Index, byte: u8) {
        comes_back::<Json>(&value, at, byte)?;
    }

    #[test]
    fn what_go_json_writes_it_reads(value in everything(), at: prop::sample::Index, byte: u8) {
        comes_back::<GoJson>(&value, at, byte)?;
    }

    #[test]
    fn what_is_raw_is_as_it_is(bytes in vec(any::<u8>(), 0..100), text: String) {
        prop_assert_eq!(&<Raw as Codec<Vec<u8>>>::decode(&Raw::encode(&bytes).unwrap()).unwrap(), &bytes);
        prop_assert_eq!(<Raw as Codec<String>>::decode(&Raw::encode(&text).unwrap()).unwrap(), text);
        drop(<Raw as Codec<String>>::decode(&bytes));
        let bytes = Bytes::from(bytes);
        prop_assert_eq!(<Raw as Codec<Bytes>>::decode(&Raw::encode(&bytes).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn json_takes_any_bytes(bytes in hostile()) {
        read_as_anything::<Json>(&bytes);
        read_as_anything::<GoJson>(&bytes);
    }
}

#[cfg(feature = "msgpack")]
mod msgpack {
    use asynq::MsgPack;

    use super::*;

    proptest! {
        #[test]
        fn what_it_writes_it_reads(value in everything(), at: prop::sample::Index, byte: u8) {
            comes_back::<MsgPack>(&value, at, byte)?;
        }

        #[test]
        fn it_takes_any_bytes(bytes in hostile()) {
            read_as_anything::<MsgPack>(&bytes);
        }
    }

    #[test]
    fn it_writes_what_the_specification_says() {
        is_exact::<MsgPack, _>(
            &("a".to_owned(), vec![1_u16, 300], true),
            b"\x93\xa1a\x92\x01\xcd\x01\x2c\xc3",
        );
        is_exact::<MsgPack, _>(&BTreeMap::from([("k".to_owned(), Some(-1_i32))]), b"\x81\xa1k\xff");
    }
}

#[cfg(feature = "cbor")]
mod cbor {
    use asynq::Cbor;

    use super::*;

    proptest! {
        #[test]
        fn what_it_writes_it_reads(value in everything(), at: prop::sample::Index, byte: u8) {
            comes_back::<Cbor>(&value, at, byte)?;
        }

        #[test]
        fn it_takes_any_bytes(bytes in hostile()) {
            read_as_anything::<Cbor>(&bytes);
        }
    }

    #[test]
    fn it_writes_what_the_specification_says() {
        // RFC 8949, appendix A.
        is_exact::<Cbor, _>(&1_000_000_u64, b"\x1a\x00\x0f\x42\x40");
        is_exact::<Cbor, _>(&vec![1_u8, 2, 3], b"\x83\x01\x02\x03");
        is_exact::<Cbor, _>(&"\u{6c34}".to_owned(), b"\x63\xe6\xb0\xb4");
        is_exact::<Cbor, _>(&None::<u8>, b"\xf6");
        is_exact::<Cbor, _>(&-1000_i32, b"\x39\x03\xe7");
        // Tags and lists without a length are read, too.
        let tagged: String = Cbor::decode(b"\xc0\x742013-03-21T20:04:00Z").unwrap();
        assert_eq!(tagged, "2013-03-21T20:04:00Z");
        let indefinite: Vec<u8> = Cbor::decode(b"\x9f\x01\x02\xff").unwrap();
        assert_eq!(indefinite, [1, 2]);
    }
}

#[cfg(feature = "protobuf")]
mod protobuf {
    use asynq::testing::Rig;
    use asynq::{Protobuf, Router, Task, TaskOptions, TaskState, job};

    use super::*;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Order {
        #[prost(uint64, tag = "1")]
        id: u64,
        #[prost(string, repeated, tag = "2")]
        items: Vec<String>,
        #[prost(message, optional, boxed, tag = "3")]
        replaces: Option<Box<Self>>,
    }

    #[job(name = "codecs:order", codec = Protobuf, transparent, unregistered, retention = "1h")]
    async fn place(order: &Order) -> Result<u64, String> {
        Ok(order.id + 1)
    }

    /// The job itself is the message.
    #[derive(Clone, PartialEq, prost::Message, asynq::Job)]
    #[job(codec = Protobuf, name = "codecs:cancel")]
    struct CancelOrder {
        #[prost(uint64, tag = "1")]
        id: u64,
    }

    fn order() -> impl Strategy<Value = Order> {
        let plain = (any::<u64>(), vec(any::<String>(), 0..4)).prop_map(|(id, items)| Order {
            id,
            items,
            replaces: None,
        });
        plain.clone().prop_flat_map(move |replaced| {
            plain.clone().prop_map(move |order| Order { replaces: Some(Box::new(replaced.clone())), ..order })
        })
    }

    proptest! {
        #[test]
        fn what_it_writes_it_reads(order in order()) {
            let bytes = Protobuf::encode(&order).unwrap();
            prop_assert_eq!(<Protobuf as Codec<Order>>::decode(&bytes).unwrap(), order);
        }

        #[test]
        fn it_takes_any_bytes(bytes in hostile()) {
            drop(<Protobuf as Codec<Order>>::decode(&bytes));
        }
    }

    #[test]
    fn messages_in_messages_cannot_use_up_the_stack() {
        let mut nested = Vec::new();
        for _ in 0..10_000 {
            let mut outer = vec![0x1a];
            prost::encoding::encode_varint(nested.len() as u64, &mut outer);
            outer.extend(nested);
            nested = outer;
        }
        assert!(<Protobuf as Codec<Order>>::decode(&nested).is_err());
    }

    #[tokio::test]
    async fn a_message_is_a_payload() {
        use asynq::Job;

        let rig = Rig::new().router(Router::jobs(asynq::jobs![Place]).unwrap());
        let order = Order { id: 5, items: vec!["tea".to_owned()], replaces: None };
        Place::new(order.clone()).enqueue(rig.client()).await.unwrap();
        // What another program wrote is not marked.
        let bytes = prost::Message::encode_to_vec(&order);
        let kept = TaskOptions::new().retention(std::time::Duration::from_secs(60));
        rig.client().enqueue(Task::new(Place::NAME, bytes).unwrap().options(kept)).await.unwrap();
        rig.drain().await;
        for done in rig.in_state::<Place>(TaskState::Completed) {
            assert_eq!((done.job.order, done.info.result.as_deref()), (order.clone(), Some(&b"6"[..])));
        }
        assert_eq!(rig.in_state::<Place>(TaskState::Completed).len(), 2);
        let cancel = CancelOrder { id: 9 };
        assert_eq!(CancelOrder::decode(&cancel.encode().unwrap()).unwrap(), cancel);
    }

    /// Of the payload of another codec protobuf would make something, were it not for the mark.
    #[tokio::test]
    async fn what_another_codec_wrote_is_refused() {
        let rig = Rig::new().router(Router::jobs(asynq::jobs![Place]).unwrap());
        let task = Task::new("codecs:order", "").unwrap().header("asynq-codec", "cbor");
        rig.client().enqueue(task).await.unwrap();
        rig.drain().await;
        let archived = rig.tasks().remove(0);
        assert_eq!(archived.state, TaskState::Archived);
        assert_eq!(
            archived.last_error,
            "payload of `codecs:order` cannot be decoded: its header `asynq-codec` says `cbor`, and this job reads \
             `protobuf`: skip retry for the task"
        );
    }
}
