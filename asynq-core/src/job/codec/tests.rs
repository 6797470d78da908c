//! What is said of a payload that cannot be read: by each codec the field, the place and the kind, and never the value.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Codec, CodecError, GoJson, Json, Raw};

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Mail {
    to: Vec<Address>,
    retries: u8,
    #[serde(default)]
    vars: BTreeMap<String, u8>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Address {
    name: String,
}

/// A mail with this where `retries`, a small number, is expected.
#[derive(Serialize)]
struct Wrong<T> {
    to: Vec<WrongAddress<T>>,
    retries: u8,
    vars: BTreeMap<String, u8>,
}

#[derive(Serialize)]
struct WrongAddress<T> {
    name: T,
}

fn wrong<T>(names: impl IntoIterator<Item = T>) -> Wrong<T> {
    let to = names.into_iter().map(|name| WrongAddress { name }).collect();
    Wrong { to, retries: 1, vars: BTreeMap::new() }
}

fn reason<C: Codec<Mail>>(bytes: impl AsRef<[u8]>) -> String {
    <C as Codec<Mail>>::decode(bytes.as_ref()).unwrap_err().reason()
}

#[test]
fn json_tells_field_line_and_column() {
    for (payload, said) in [
        (
            r#"{"to":[{"name":"a"},{"name":5}],"retries":1}"#,
            "field `to[1].name` (line 1, column 29): invalid type: integer, expected a string",
        ),
        (
            "{\"to\":[],\n\"retries\":\"secret\"}",
            "field `retries` (line 2, column 18): invalid type: string, expected u8",
        ),
        (
            r#"{"to":[],"retries":300}"#,
            "field `retries` (line 1, column 22): invalid value: integer, expected u8",
        ),
        (
            r#"{"to":[],"retries":1,"vars":{"pass\nword":"secret"}}"#,
            "field `vars.pass\\nword` (line 1, column 50): invalid type: string, expected u8",
        ),
        (r#"{"to":[]}"#, "line 1, column 9: missing field `retries`"),
        (r#"{"to":[{}],"retries":1}"#, "field `to[0]` (line 1, column 9): missing field `name`"),
        (r#"["secret"]"#, "field `[0]` (line 1, column 9): invalid type: string, expected a sequence"),
        ("secret", "line 1, column 1: not JSON: expected value"),
        (r#"{"to":["#, "field `to` (line 1, column 7): EOF while parsing a list"),
        ("", "line 1, column 0: EOF while parsing a value"),
        (r#"{"to":[],"retries":1}1"#, "line 1, column 22: not JSON: trailing characters"),
    ] {
        let found = reason::<Json>(payload);
        assert_eq!(found, said, "{payload}");
        assert!(!found.contains("secret"));
    }
    let null = r#"{"to":[{"name":null},{"name":5}],"retries":null}"#;
    assert_eq!(
        reason::<GoJson>(null),
        "field `to[1].name` (line 1, column 30): invalid type: integer, expected a string"
    );
}

#[test]
fn names_and_messages_are_bounded() {
    let long = "k".repeat(10_000);
    let payload = format!(r#"{{"to":[],"retries":1,"vars":{{"{long}":"x"}}}}"#);
    let said = reason::<Json>(payload);
    assert!(said.len() < 200 && said.contains("kkk…"), "{said}");
}

#[cfg(feature = "msgpack")]
#[test]
fn messagepack_tells_field_and_byte() {
    use super::MsgPack;

    let encoded = |value: &Wrong<_>| rmp_serde::to_vec_named(value).unwrap();
    assert_eq!(
        reason::<MsgPack>(encoded(&wrong([7, 7]))),
        "field `to[0].name` (byte 12): invalid type: integer, expected a string"
    );
    let mail = Mail { to: vec![], retries: 1, vars: BTreeMap::new() };
    let bytes = MsgPack::encode(&mail).unwrap();
    assert_eq!(<MsgPack as Codec<Mail>>::decode(&bytes).unwrap(), mail);
    assert_eq!(reason::<MsgPack>(bytes.slice(..5)), "byte 5: it ends too early");
    assert_eq!(reason::<MsgPack>(b""), "byte 0: it ends too early");
    assert_eq!(reason::<MsgPack>([&bytes[..], b"\0"].concat()), "byte 20: more bytes follow the value");
    // What is of another codec: `{`, as a number.
    assert_eq!(reason::<MsgPack>(b"{}"), "byte 1: invalid type: integer, expected struct Mail");
}

#[cfg(feature = "cbor")]
#[test]
fn cbor_tells_field_and_byte() {
    use super::Cbor;

    let encoded = |value: &Wrong<_>| {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).unwrap();
        bytes
    };
    assert_eq!(
        reason::<Cbor>(encoded(&wrong([7, 7]))),
        "field `to[0].name` (byte 12): invalid type: integer, expected string"
    );
    let mail = Mail { to: vec![], retries: 1, vars: BTreeMap::new() };
    let bytes = Cbor::encode(&mail).unwrap();
    assert_eq!(<Cbor as Codec<Mail>>::decode(&bytes).unwrap(), mail);
    assert_eq!(reason::<Cbor>(bytes.slice(..4)), "field `to` (byte 4): it ends too early");
    assert_eq!(reason::<Cbor>([&bytes[..], b"\0"].concat()), "byte 20: more bytes follow the value");
    assert_eq!(reason::<Cbor>(b"{}"), "byte 2: it ends too early");
}

#[cfg(feature = "protobuf")]
#[test]
fn protobuf_tells_message_and_field() {
    use super::Protobuf;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Order {
        #[prost(string, tag = "1")]
        customer: String,
    }

    let error = <Protobuf as Codec<Order>>::decode(b"\x0a\x02\xff\xff").unwrap_err();
    assert_eq!(
        error.reason(),
        "byte 4: failed to decode Protobuf message: Order.customer: invalid string value: data is not UTF-8 encoded"
    );
}

#[test]
fn what_is_raw_comes_back_as_it_is() {
    let bytes = Bytes::from_static(b"\0\xffab");
    assert_eq!(<Raw as Codec<Bytes>>::decode(&Raw::encode(&bytes).unwrap()).unwrap(), bytes);
    assert_eq!(<Raw as Codec<Vec<u8>>>::decode(&bytes).unwrap(), bytes);
    let error: CodecError = <Raw as Codec<String>>::decode(&bytes).unwrap_err();
    assert_eq!(error.reason(), "byte 1: not text: the bytes are not UTF-8");
}

/// Variants in one another, as many as there are bytes for: their nesting is that of the stack.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Chain {
    End,
    Link(Box<Self>),
}

fn chain(links: usize) -> Chain {
    (0..links).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)))
}

#[cfg(feature = "msgpack")]
#[test]
fn messagepack_cannot_use_up_the_stack() {
    use super::MsgPack;

    let deep = chain(100);
    assert_eq!(<MsgPack as Codec<Chain>>::decode(&MsgPack::encode(&deep).unwrap()).unwrap(), deep);
    for nested in
        [b"\x81\xa4Link".repeat(1_000_000), vec![0x91; 1_000_000], b"\xdd\0\0\0\x01".repeat(200_000)]
    {
        let error = <MsgPack as Codec<Chain>>::decode(&nested).unwrap_err();
        assert_eq!(error.reason(), "nested more than 128 deep");
        let error = <MsgPack as Codec<serde_json::Value>>::decode(&nested).unwrap_err();
        assert_eq!(error.reason(), "nested more than 128 deep");
    }
}

#[cfg(feature = "cbor")]
#[test]
fn cbor_cannot_use_up_the_stack() {
    use super::Cbor;

    let deep = chain(100);
    assert_eq!(<Cbor as Codec<Chain>>::decode(&Cbor::encode(&deep).unwrap()).unwrap(), deep);
    for nested in [b"\xa1\x64Link".repeat(1_000_000), vec![0x81; 1_000_000], vec![0xc6; 1_000_000]] {
        assert!(<Cbor as Codec<Chain>>::decode(&nested).is_err());
        assert!(<Cbor as Codec<serde_json::Value>>::decode(&nested).is_err());
    }
}

#[test]
fn json_cannot_use_up_the_stack() {
    for nested in [br#"{"Link":"#.repeat(1_000_000), vec![b'['; 1_000_000]] {
        assert!(<Json as Codec<Chain>>::decode(&nested).is_err());
        assert!(<GoJson as Codec<Chain>>::decode(&nested).is_err());
        assert!(<GoJson as Codec<serde_json::Value>>::decode(&nested).is_err());
    }
}
