#![allow(unused)]

use asynq::job;

#[job]
async fn depends(#[cfg(unix)] x: u8, #[cfg_attr(unix, allow(unused))] y: u8) {}

fn main() {}
