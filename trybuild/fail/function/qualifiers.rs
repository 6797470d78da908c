#![allow(unused)]

use asynq::job;

#[job]
async unsafe fn dangerous(x: u8) {}

#[job]
async extern "C" fn foreign(x: u8) {}

fn main() {}
