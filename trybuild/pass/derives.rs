//! The struct derives what it is told to, from wherever the derive comes.
#![deny(warnings)]

use asynq::job;

macro_rules! comparable {
    ($derive:path) => {
        #[job(derive($derive, PartialEq))]
        async fn by_macro(id: String) {
            drop(id);
        }
    };
}
comparable!(Debug);

#[job(derive(Debug, Clone, std::hash::Hash, PartialEq, Eq,), queue = "mail")]
async fn send(to: &str, #[serde(default)] copies: Vec<String>) {
    drop((to, copies));
}

#[job(derive(Debug, Default))]
async fn nothing() {}

fn main() {
    let job = Send::new("ann", vec![]);
    assert_eq!(job.clone(), job);
    assert_eq!(format!("{job:?}"), r#"Send { to: "ann", copies: [] }"#);
    assert_eq!(ByMacro::new("1"), ByMacro { id: "1".into() });
    assert_eq!(format!("{:?}", Nothing::default()), "Nothing");
}
