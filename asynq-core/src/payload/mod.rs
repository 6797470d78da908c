//! Payloads between the codec that wrote them and the store: their size, compression and encryption.

#[cfg(feature = "zstd")]
mod compression;
mod error;
#[cfg(feature = "encryption")]
mod keyring;
mod mark;
mod payloads;
#[cfg(test)]
mod tests;

#[cfg(feature = "zstd")]
pub use compression::Compression;
pub use error::OpenError;
#[cfg(feature = "encryption")]
pub use keyring::{Key, Keyring};
pub use payloads::Payloads;
