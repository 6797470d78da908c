//! Jobs that a `macro_rules!` macro makes.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use asynq::{Ctx, State, job};

macro_rules! jobs {
    ($($(#[$meta:meta])* $vis:vis $name:ident($($arg:ident: $ty:ty),*) $(in $queue:literal)? $(for $limit:expr)?;)*) => {
        $(
            $(#[$meta])*
            #[job($(queue = $queue,)? $(timeout = $limit)?)]
            $vis async fn $name($($arg: $ty),*) {
                let _ = ($($arg,)*);
            }
        )*
    };
}

jobs! {
    /// First.
    pub first(to: &str, count: Option<u32>);
    second(list: &[u8], db: State<u8>) in "low";
    third(ctx: &Ctx, text: String) for "1h";
}

macro_rules! whole {
    ($name:ident, $argument:ident) => {
        #[job(retry = 3)]
        async fn $name($argument: u8, hidden: u8) -> u8_result!() {
            Ok($argument + hidden)
        }
    };
}

macro_rules! u8_result {
    () => { Result<u8, String> };
}

whole!(fourth, visible);

macro_rules! item {
    ($item:item) => {
        #[job]
        $item
    };
}

item! {
    async fn fifth(x: u8) {
        let _ = x;
    }
}

mod reexport {
    pub use asynq;
}

macro_rules! of_this_crate {
    ($name:ident) => {
        #[$crate::reexport::asynq::job(crate = $crate::reexport::asynq)]
        async fn $name(text: Option<$crate::Text>) {
            drop(text);
        }
    };
}

type Text = String;

of_this_crate!(sixth);

fn main() {
    drop(Sixth::new(None));
    drop(First { to: String::new(), count: None });
    drop(First::new("a", Some(1)));
    drop((Second::new(vec![1]), Third::new("a"), Fifth { x: 1 }));
    drop(Fourth { visible: 1, hidden: 2 });
}
