//! A program that measures asynq for Rust beside the original.

fn main() {}
