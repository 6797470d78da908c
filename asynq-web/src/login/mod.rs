//! Who asks: people with passwords, programs with tokens, and whom a trusted proxy vouches for.
//!
//! ```text
//! users.rs (Users: a file, read anew when it changes) ◄─ users_file.rs (what it says, errors by line and column)
//! door.rs  (Door: who asks, by token, by proxy's header or by session) ─► Visitor
//!    ├─► sessions.rs  (who has logged in; of their cookie only a hash is kept)
//!    ├─► passwords.rs (argon2, a few at a time)   attempts.rs (not too many, by name and by address)
//!    └─► secret.rs    (what is random, and the hash of it)   buckets.rs (so many in a time, in bounded memory)
//! ```

mod attempts;
mod buckets;
mod cookie;
mod door;
mod passwords;
mod secret;
mod sessions;
mod users;
mod users_file;

pub(crate) use buckets::Buckets;
pub(crate) use cookie::{path as cookie_path, set as cookie};
pub(crate) use door::{Door, Known, Pass, Vouched};
pub use passwords::hash_password;
pub use secret::Token;
pub use users::{Users, UsersError};
