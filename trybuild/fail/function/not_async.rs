#![allow(unused)]

use asynq::job;

#[job]
fn blocking(path: String) -> Result<(), std::io::Error> {
    std::fs::remove_file(path)
}

#[job]
fn by_hand() -> impl Future<Output = ()> {
    async {}
}

fn main() {
    drop(Blocking::new("a"));
}
