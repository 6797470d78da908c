//! Jobs where functions are: in the body of another job, of a method, of a closure, of a test, in a block of a constant.
#![forbid(unsafe_code)]
#![deny(warnings)]

use asynq::job;

struct Service;

impl Service {
    fn start(&self) -> usize {
        #[job(name = "of_method")]
        async fn step(n: u8) {
            let _ = n;
        }
        drop(Step::new(1));
        let in_closure = || {
            #[job(name = "of_closure")]
            async fn step(n: u16) {
                let _ = n;
            }
            Step::new(2).n
        };
        usize::from(in_closure())
    }
}

#[job]
async fn outer(n: u8) {
    #[job(name = "of_job")]
    async fn step(n: u8) {
        let _ = n;
    }
    step(n).await;
    drop(Step { n });
}

const _: () = {
    #[job(name = "of_constant")]
    async fn step() {}
};

macro_rules! scoped {
    ($name:literal) => {{
        #[job(name = $name)]
        async fn step() {}
        Step::new()
    }};
}

fn main() {
    assert_eq!(Service.start(), 2);
    drop((scoped!("of_macro:1"), scoped!("of_macro:2"), Outer::new(1)));
    let names: Vec<_> = asynq::jobs().unwrap().iter().map(|job| job.name).collect();
    assert_eq!(names, ["of_closure", "of_constant", "of_job", "of_macro:1", "of_macro:2", "of_method", "outer"]);
}
