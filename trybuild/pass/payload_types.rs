//! Types of arguments: whatever serde writes and reads, with generics of their own, by value and lent.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::time::Duration;

use asynq::{Job, job};
use serde::{Deserialize, Serialize};

/// With a parameter.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
}

/// Of several kinds, and made of itself.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Tree {
    /// One.
    Leaf,
    /// Many.
    Node {
        /// Below it.
        children: Vec<Tree>,
    },
}

/// Counts.
pub trait Count {
    /// The number.
    type Number;
}

/// Eight bits.
#[derive(Debug, PartialEq)]
pub struct Small;

impl Count for Small {
    type Number = u8;
}

type Alias<T> = Result<T, String>;

/// Takes them.
#[job(derive(Debug, PartialEq))]
pub async fn take(
    page: Page<Option<Tree>>,
    lent_page: &Page<u8>,
    map: HashMap<String, Vec<(u8, bool)>>,
    sorted: &BTreeMap<u32, BTreeSet<char>>,
    cow: Cow<'static, str>,
    boxed: Box<Tree>,
    duration: Duration,
    number: NonZeroU32,
    array: [[u8; 2]; 3],
    projected: <Small as Count>::Number,
    alias: Alias<u8>,
    marker: PhantomData<Small>,
    nothing: (),
) {
    drop((page, lent_page, map, sorted, cow, boxed, duration, number, array, projected, alias, marker));
    nothing
}

fn main() {
    let job = Take {
        page: Page { items: vec![None, Some(Tree::Node { children: vec![Tree::Leaf] })] },
        lent_page: Page { items: vec![1] },
        map: HashMap::from([("a".into(), vec![(1, true)])]),
        sorted: BTreeMap::from([(1, BTreeSet::from(['x']))]),
        cow: "text".into(),
        boxed: Box::new(Tree::Leaf),
        duration: Duration::from_millis(5),
        number: NonZeroU32::MIN,
        array: [[1, 2]; 3],
        projected: 7,
        alias: Err("no".into()),
        marker: PhantomData,
        nothing: (),
    };
    assert_eq!(Take::decode(&job.encode().unwrap()).unwrap(), job);
}
