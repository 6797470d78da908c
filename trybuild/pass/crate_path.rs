//! The runtime under another name: for libraries that re-export it.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

mod my_lib {
    pub mod queue {
        pub use asynq as rt;
    }

    #[allow(unused_macros)]
    macro_rules! asynq {
        () => {};
    }
}

/// With a path from the crate.
#[my_lib::queue::rt::job(crate = crate::my_lib::queue::rt, queue = "low")]
pub async fn with_path(to: &str, count: Option<u8>, ctx: &my_lib::queue::rt::Ctx) {
    let _ = (to, count, ctx);
}

/// With a global path.
#[asynq::job(crate = ::asynq)]
pub async fn with_global_path(to: String) {
    drop(to);
}

mod nested {
    use super::my_lib::queue::rt as queue;

    #[queue::job(crate = queue)]
    async fn with_name(x: u8) {
        let _ = x;
    }
}

fn main() {
    drop(WithPath::new("a", None));
    drop(WithGlobalPath::new("a"));
}
