#![allow(unused)]

use std::borrow::Cow;
use std::collections::HashMap;

use asynq::{Ctx, job};

#[job]
async fn mutable(to: &mut String) {}

#[job]
async fn mutable_context(ctx: &mut Ctx) {}

#[job]
async fn forever(to: &'static str) {}

#[job]
async fn inside(to: Option<&str>) {}

#[job]
async fn lent_inside(to: &[&str]) {}

#[job]
async fn deep(parts: HashMap<&str, Vec<&[u8]>>) {}

#[job]
async fn elided(to: Cow<'_, str>) {}

fn main() {
    drop(Inside { to: Some(String::new()) });
}
