//! Where a job may stand: in modules, with any visibility, in the body of a function, several side by side.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::job;

/// Outer.
pub mod outer {
    use asynq::job;

    /// For the parent.
    #[job]
    pub(super) async fn for_parent(private: super::Private) {
        drop(private);
    }

    /// Inner.
    pub mod inner {
        /// By path.
        #[asynq::job]
        pub(in crate::outer) async fn by_path(x: u8) {
            let _ = x;
        }

        /// For all.
        #[asynq::job(name = "inner:public")]
        pub async fn public(x: u8) {
            let _ = x;
        }
    }

    pub(super) fn use_them() {
        drop((inner::ByPath { x: 1 }, inner::Public::new(1), ForParent::new(super::Private)));
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Private;

#[job]
async fn one(a: u8, b: u8) {
    let _ = (a, b);
}

#[job]
async fn two(a: u8, b: u8) {
    one(a, b).await;
}

// Nobody enqueues it here: other programs do.
#[job]
async fn unused(text: String) {
    drop(text);
}

#[job()]
async fn without_arguments() {}

fn main() {
    #[job(name = "body:one")]
    async fn one(local: Local) {
        drop(local);
    }

    #[job]
    async fn other() {
        one(Local).await;
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local;

    drop((One::new(Local), Other::new(), Two::new(1, 2), WithoutArguments::new()));
    drop(outer::ForParent { private: Private });
    outer::use_them();
}
