#![allow(unused)]

use asynq::job;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Resize {
    width: u32,
}

#[job]
impl Resize {
    async fn field_as_argument(&self, height: u32) {}
}

#[job]
impl Resize {
    fn without_self() {}
}

#[job]
impl Resize {
    async fn one(&self) {}
    async fn two(&self) {}
}

#[job]
impl Resize {
    async fn exclusive(&mut self) {}
}

#[job]
impl Resize {
    fn not_async(&self) {}
}

#[job]
impl Clone for Resize {
    fn clone(&self) -> Self {
        Self { width: self.width }
    }
}

#[job(for = Resize, derive(Debug))]
impl Resize {
    async fn wrong_options(&self) {}
}

fn main() {}
