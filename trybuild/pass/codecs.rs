//! A codec for each job; earlier forms of a payload.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::{Codec, CodecError, GoJson, Job, Raw, job};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// As Go writes it.
#[job(codec = GoJson)]
async fn send(to: Vec<String>) {
    drop(to);
}

/// Bytes as they are, owned or lent.
#[job(codec = Raw, transparent)]
async fn store(image: Bytes) {
    drop(image);
}

/// Lent.
#[job(codec = Raw, transparent)]
async fn store_lent(image: &[u8]) {
    drop(image.to_vec());
}

/// Text.
#[job(codec = Raw, transparent)]
async fn say(text: &str) {
    drop(text.to_owned());
}

/// One argument, without an object around it.
#[job(codec = asynq::GoJson, transparent)]
async fn count(numbers: Vec<u32>) {
    drop(numbers);
}

/// A codec for anything, around another.
pub struct Reversed<C>(C);

impl<T, C: Codec<T>> Codec<T> for Reversed<C> {
    const NAME: Option<&'static str> = Some("reversed");

    fn encode(value: &T) -> Result<Bytes, CodecError> {
        C::encode(value).map(|bytes| bytes.iter().rev().copied().collect())
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        C::decode(&bytes.iter().rev().copied().collect::<Vec<u8>>())
    }
}

/// With an argument of its own.
#[job(codec = Reversed<asynq::Json>)]
async fn backwards(text: String) {
    drop(text);
}

/// What `notify` was.
#[derive(Deserialize, Serialize)]
pub struct FirstNotify {
    to: String,
}

/// What it was then.
#[derive(Deserialize, Serialize)]
pub struct SecondNotify {
    to: Vec<String>,
    priority: u8,
}

impl From<FirstNotify> for Notify {
    fn from(FirstNotify { to }: FirstNotify) -> Self {
        Self { to: vec![to], urgent: false }
    }
}

impl TryFrom<SecondNotify> for Notify {
    type Error = String;

    fn try_from(SecondNotify { to, priority }: SecondNotify) -> Result<Self, String> {
        if to.is_empty() { Err("nobody".to_owned()) } else { Ok(Self { to, urgent: priority > 5 }) }
    }
}

/// It was two others.
#[job(version = 3, from(1 = FirstNotify, 2 = SecondNotify))]
async fn notify(to: Vec<String>, urgent: bool) {
    drop((to, urgent));
}

/// What `remind` was.
#[derive(Deserialize, Serialize)]
pub struct OldRemind {
    name: String,
}

impl From<OldRemind> for Remind {
    fn from(OldRemind { name }: OldRemind) -> Self {
        Self { names: vec![name] }
    }
}

/// It was another.
#[job(from = OldRemind)]
async fn remind(names: &[String]) {
    drop(names.to_vec());
}

/// Earlier forms of an argument itself.
impl From<Vec<u32>> for Total {
    fn from(numbers: Vec<u32>) -> Self {
        Self { numbers: numbers.into_iter().map(u64::from).collect() }
    }
}

/// Wider numbers.
#[job(codec = GoJson, transparent, version = 7, from = Vec<u32>)]
async fn total(numbers: Vec<u64>) {
    drop(numbers);
}

fn comes_back<J: Job>(job: &J) -> bool {
    let bytes = job.encode().unwrap();
    J::decode(&bytes).unwrap().encode().unwrap() == bytes
}

fn main() {
    assert!(comes_back(&Send::new(vec!["<ann>".to_owned()])));
    assert!(comes_back(&Count::new(vec![1, 2])));
    assert_eq!(Store::new(Bytes::from("\0")).encode().unwrap(), "\0");
    assert_eq!(StoreLent::new(vec![0]).encode().unwrap(), "\0");
    assert_eq!(Say::new("hello").encode().unwrap(), "hello");
    assert_eq!(Backwards::new("ab").encode().unwrap(), r#"}"ba":"txet"{"#);
    assert_eq!((Notify::VERSION, Notify::EARLIER.len()), (3, 2));
    assert_eq!((Remind::VERSION, Remind::EARLIER[0].version()), (2, 1));
    assert_eq!((Total::VERSION, Total::EARLIER[0].version()), (7, 6));
    assert_eq!((Send::VERSION, Send::EARLIER.len()), (1, 0));
    let task = Total::new(vec![1]).to_task().unwrap();
    let headers: Vec<_> = task.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, ["asynq-version: 7"]);
}
