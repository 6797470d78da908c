//! A struct of the user's own and its handler in one: `#[job]` on an `impl`.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::{Ctx, Job, Outcome, State, job};
use serde::{Deserialize, Serialize};

/// An image to resize.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResizeImage {
    /// Where it is.
    pub path: String,
    width: u32,
}

#[job(name = "image:resize", queue = "images", concurrency = 2)]
impl ResizeImage {
    /// A constructor may stand here as well.
    pub fn new(path: &str) -> Self {
        Self { path: path.into(), width: 64 }
    }

    /// Runs it.
    pub async fn run(&self, ctx: &Ctx, State(scale): State<u32>) -> Result<u32, std::io::Error> {
        let _ = ctx;
        Ok(self.width * scale)
    }
}

#[derive(Deserialize, Serialize)]
struct Owned(String);

#[job(blocking)]
impl Owned {
    fn run(self) -> Outcome {
        drop(self.0);
        Outcome::default()
    }
}

fn main() {
    assert_eq!((ResizeImage::NAME, Owned::NAME), ("image:resize", "owned"));
    let [resize, owned] = asynq::jobs![ResizeImage, Owned];
    assert_eq!((resize.concurrency, owned.job), (Some(2), "Owned"));
    asynq::assert_registered!(ResizeImage, Owned);
    let job = ResizeImage::new("a.png");
    assert_eq!(job.encode().unwrap(), r#"{"path":"a.png","width":64}"#);
    drop((job.run(&Ctx::test(), State(2)), Owned(String::new())));
}
