//! What [`GoJson`] writes and reads.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::super::Codec;
use super::GoJson;

#[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
struct All {
    flag: bool,
    int: i32,
    natural: u64,
    float: f64,
    text: String,
    list: Vec<i64>,
    texts: HashMap<String, String>,
    numbers: BTreeMap<i32, f32>,
    #[serde(with = "super::bytes")]
    bytes: Vec<u8>,
    maybe: Option<String>,
    inner: Option<Box<Self>>,
    #[serde(default)]
    added: String,
}

fn written<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> String {
    String::from_utf8(GoJson::encode(value).unwrap().into()).unwrap()
}

fn read<T: Serialize + serde::de::DeserializeOwned + Debug>(text: &str) -> T {
    GoJson::decode(text.as_bytes()).unwrap()
}

#[test]
fn everything_comes_back() {
    let value = All {
        flag: true,
        int: -5,
        natural: u64::MAX,
        float: 1e21,
        text: "<a&b>\u{2028}\"\\\u{8}\u{c}\n\u{1}\u{7f}ü🦀".to_owned(),
        list: vec![1, -2],
        texts: [("b".to_owned(), "2".to_owned()), ("a<".to_owned(), "1".to_owned())].into(),
        numbers: [(10, 0.1), (-1, 2.0)].into(),
        bytes: vec![0, 255, 1],
        maybe: Some(String::new()),
        inner: Some(Box::default()),
        added: "x".to_owned(),
    };
    let text = written(&value);
    assert_eq!(
        text,
        concat!(
            r#"{"flag":true,"int":-5,"natural":18446744073709551615,"float":1e+21,"#,
            r#""text":"\u003ca\u0026b\u003e\u2028\"\\\b\f\n\u0001"#,
            "\u{7f}ü🦀",
            r#"","list":[1,-2],"texts":{"a\u003c":"1","b":"2"},"numbers":{"-1":2,"10":0.1},"bytes":"AP8B","maybe":"","#,
            r#""inner":{"flag":false,"int":0,"natural":0,"float":0,"text":"","list":[],"texts":{},"numbers":{},"bytes":"","#,
            r#""maybe":null,"inner":null,"added":""},"added":"x"}"#,
        )
    );
    assert_eq!(read::<All>(&text), value);
}

#[test]
fn null_is_zero_where_go_has_one() {
    let nulls = r#"{"flag":null,"int":null,"natural":null,"float":null,"text":null,"list":null,"texts":null,
                    "numbers":null,"bytes":null,"maybe":null,"inner":null,"added":null}"#;
    assert_eq!(read::<All>(nulls), All::default());
    assert_eq!(read::<Vec<Vec<u8>>>("[null,[1]]"), [vec![], vec![1]]);
    assert_eq!(read::<Vec<Option<Vec<u8>>>>("[null,[null]]"), [None, Some(vec![0])]);
    assert_eq!(read::<HashMap<String, String>>("null"), HashMap::new());
}

#[test]
fn enums_are_as_by_serde() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Event {
        None,
        One(f64),
        Two(f64, Vec<u8>),
        Named { list: Vec<u8> },
    }
    for (event, text) in [
        (Event::None, r#""None""#),
        (Event::One(1.0), r#"{"One":1}"#),
        (Event::Two(0.5, vec![1]), r#"{"Two":[0.5,[1]]}"#),
        (Event::Named { list: vec![] }, r#"{"Named":{"list":[]}}"#),
    ] {
        assert_eq!(written(&event), text);
        assert_eq!(read::<Event>(text), event);
    }
    assert_eq!(read::<Event>(r#"{"Named":{"list":null}}"#), Event::Named { list: vec![] });
}

#[test]
fn what_go_refuses_is_refused() {
    fn refused<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> String {
        let error = GoJson::encode(value).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    }
    assert_eq!(refused(&vec![1.0, f64::NAN]), "a number that is not finite has no JSON");
    let odd: HashMap<bool, u8> = [(true, 1)].into();
    assert_eq!(refused(&odd), "the key of a map must be a text or a whole number");
    for text in ["", "[1", "[1] x", "{\"a\"}", "\"x\""] {
        assert!(<GoJson as Codec<Vec<u8>>>::decode(text.as_bytes()).is_err(), "{text}");
    }
}
