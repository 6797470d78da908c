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

#[job(unique_for = "10m", unique_by(user_id), rename_all = "camelCase")]
async fn renamed(user_id: u32, rest: u32) {
    let _ = (user_id, rest);
}

#[derive(serde::Serialize, serde::Deserialize, asynq::Job)]
#[job(unique_for = "10m", unique_by(user_id, kind))]
#[serde(rename_all = "camelCase")]
struct Contract {
    user_id: u32,
    #[serde(rename = "type")]
    kind: u8,
    rest: u32,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Resize {
    image: String,
    width: u32,
}

#[job(unique_for = "10m", unique_by(image))]
impl Resize {
    async fn run(&self) {
        let _ = (&self.image, self.width);
    }
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
    assert_eq!(part(&one), r#"{"at":{"street":"x","city":"y"},"kind":1,"recipient":"ann"}"#);
    assert_eq!(part(&one), part(&Send::new("ann", "two", 1, address())));
    assert_ne!(part(&one), part(&Send::new("bob", "one", 1, address())));

    let map = |keys: [&str; 3]| keys.map(|key| (key.to_owned(), 1)).into();
    let one = Sorted { a: 1, b: map(["x", "y", "z"]), c: 1.0 };
    assert_eq!(one.unique_by().unwrap().unwrap(), r#"{"a":1,"b":{"x":1,"y":1,"z":1}}"#);
    assert_eq!(ByPayload::new(1).unique_by().unwrap(), None);
    assert_eq!(ByUser::new(7, 8).unique_by().unwrap().unwrap(), r#"{"user":7}"#);
    assert_eq!(Renamed::new(7, 8).unique_by().unwrap().unwrap(), r#"{"userId":7}"#);
    let contract = Contract { user_id: 7, kind: 1, rest: 8 };
    assert_eq!(contract.unique_by().unwrap().unwrap(), r#"{"type":1,"userId":7}"#);
    let resize = Resize { image: "a".into(), width: 5 };
    assert_eq!(resize.unique_by().unwrap().unwrap(), r#"{"image":"a"}"#);
    assert_eq!(UniqueUntil::default(), UniqueUntil::Success);
}
