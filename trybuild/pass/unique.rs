//! What makes tasks of a job equal.
#![deny(warnings)]
#![forbid(unsafe_code)]

use std::collections::HashMap;

use asynq::{Job, UniqueUntil, job};

#[derive(serde::Serialize, serde::Deserialize)]
struct Address {
    street: String,
    city: String,
}

#[job(unique_for = "10m", unique_by(to, r#type, at), unique_until = start)]
async fn send(
    #[serde(rename = "recipient")] to: &str,
    body: String,
    #[serde(rename = "kind")] r#type: u8,
    at: Option<Address>,
) {
    drop((to, body, r#type, at.map(|at| (at.street, at.city))));
}

// The same arguments in another order.
#[job(unique_for = "10m", unique_by(b, a), unique_until = ttl)]
async fn sorted(a: u8, b: HashMap<String, u8>, c: f64) {
    drop((a, b, c));
}

#[job(unique_for = "10m", unique_until = success)]
async fn by_payload(a: u8) {
    let _ = a;
}

macro_rules! by_one {
    ($name:ident, $argument:ident) => {
        #[job(unique_for = "1h", unique_by($argument))]
        async fn $name($argument: u32, rest: u32) {
            let _ = ($argument, rest);
        }
    };
}
by_one!(by_user, user);

fn main() {
    let address = || Some(Address { street: "x".into(), city: "y".into() });
    let part = |job: &Send| job.unique_by().unwrap().unwrap();
    let one = Send::new("ann", "one", 1, address());
    assert_eq!(part(&one), r#"{"at":{"street":"x","city":"y"},"recipient":"ann","kind":1}"#);
    assert_eq!(part(&one), part(&Send::new("ann", "two", 1, address())));
    assert_ne!(part(&one), part(&Send::new("bob", "one", 1, address())));

    let map = |keys: [&str; 3]| keys.map(|key| (key.to_owned(), 1)).into();
    let one = Sorted { a: 1, b: map(["x", "y", "z"]), c: 1.0 };
    assert_eq!(one.unique_by().unwrap().unwrap(), r#"{"a":1,"b":{"x":1,"y":1,"z":1}}"#);
    assert_eq!(ByPayload::new(1).unique_by().unwrap(), None);
    assert_eq!(ByUser::new(7, 8).unique_by().unwrap().unwrap(), r#"{"user":7}"#);
    assert_eq!(UniqueUntil::default(), UniqueUntil::Success);
}
