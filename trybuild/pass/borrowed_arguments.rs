//! Arguments by reference: the field owns what the function is lent.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use std::ffi::{CStr, OsStr};
use std::path::{Path, PathBuf};

use asynq::job;

/// Neither `Clone` nor `Copy`: lending needs neither.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// The street.
    pub street: String,
}

/// Takes whatever can be lent.
#[job]
pub async fn lend(
    text: &str,
    string: &String,
    list: &[u64],
    array: &[u8; 4],
    path: &Path,
    full: &std::path::Path,
    os: &OsStr,
    c: &CStr,
    address: &Address,
    pair: &(u8, String),
    maybe: &Option<String>,
) {
    let _: (&str, &String, &[u64], &[u8; 4]) = (text, string, list, array);
    let _: (&Path, &Path, &OsStr, &CStr) = (path, full, os, c);
    let _: (&Address, &(u8, String), &Option<String>) = (address, pair, maybe);
}

fn main() {
    let job = Lend {
        text: String::new(),
        string: String::new(),
        list: Vec::new(),
        array: [0; 4],
        path: PathBuf::new(),
        full: PathBuf::new(),
        os: std::ffi::OsString::new(),
        c: c"text".to_owned(),
        address: Address { street: String::new() },
        pair: (1, String::new()),
        maybe: None,
    };
    drop(lend(
        &job.text,
        &job.string,
        &job.list,
        &job.array,
        &job.path,
        &job.full,
        &job.os,
        &job.c,
        &job.address,
        &job.pair,
        &job.maybe,
    ));
}
