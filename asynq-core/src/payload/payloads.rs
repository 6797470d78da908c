//! [`Payloads`]: what a client does to payloads before they are stored, and a worker before they are read.

use bytes::Bytes;

#[cfg(feature = "zstd")]
use super::Compression;
#[cfg(feature = "encryption")]
use super::Keyring;
use super::OpenError;
use super::mark::Mark;
use crate::error::{Error, Result};
use crate::task::Layers;
use crate::wire::{LAYERS_HEADER, TaskMessage};

/// How a client stores payloads, and workers on it read them: their greatest size, compression, and encryption.
///
/// What is enqueued is compressed first and encrypted then, where the job asks for it (`Compressed<Json>`,
/// `Encrypted<Json>`) or the client does it [to all](Self::encrypt_all). The header
/// [`LAYERS_HEADER`] says what was done; by it workers undo it, whatever their own settings,
/// so they may be changed at any time. Handlers, middleware and aggregators see the payload as the codec wrote it, without
/// that header.
///
/// What is encrypted is bound to the type and the ID of its task: it cannot be read in the place of another. Inspectors
/// and Go programs see what is stored; [`Client::open`](crate::client::Client::open) reads it.
///
/// Not encrypted are results, texts of errors, headers, and whatever else stands beside a payload. The uniqueness lock of
/// a task is named by a hash of its payload *before* encryption: with `unique_key`, nothing of the payload is in it.
///
/// # Examples
///
/// ```
/// # #[cfg(all(feature = "encryption", feature = "zstd"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use asynq_core::client::Client;
/// use asynq_core::payload::{Compression, Key, Keyring, Payloads};
/// use asynq_core::task::Task;
///
/// let keys = Keyring::new("2026-11", Key::new([7; 32]))?;
/// let payloads = Payloads::new().keys(keys).encrypt_all().compression(Compression::new().above(500)).compress_all();
/// let client = Client::in_memory().payloads(payloads.max_size(100_000));
///
/// let stored = client.enqueue(Task::new("note", "secret".repeat(1_000))?).await?;
/// assert!(stored.payload.len() < 200);
/// assert_eq!(stored.headers["asynq-layers"], "zstd aes-256-gcm;2026-11");
/// assert_eq!(client.open(&stored)?, "secret".repeat(1_000));
/// # Ok(())
/// # }
/// # #[cfg(not(all(feature = "encryption", feature = "zstd")))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, Default)]
pub struct Payloads {
    max_size: Option<usize>,
    to_all: Layers,
    only_encrypted: bool,
    #[cfg(feature = "encryption")]
    keys: Option<Keyring>,
    #[cfg(feature = "zstd")]
    compression: Compression,
}

impl Payloads {
    /// Stores payloads as they are, of any size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses to enqueue a task whose payload is larger than this, in bytes as they are stored: after compression, which
    /// makes them fewer, and encryption, which adds 44. Default: no limit; Redis takes up to 512 MiB.
    #[must_use]
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = Some(bytes);
        self
    }

    /// The keys to encrypt and decrypt with. Default: none; a job that is to be encrypted cannot be enqueued then.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn keys(mut self, keys: Keyring) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Encrypts every payload, whatever the job says. Default: only where the job says so.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn encrypt_all(mut self) -> Self {
        self.to_all = self.to_all.encrypted();
        self
    }

    /// Takes no task to run whose payload is not encrypted: who can write to Redis, but has no key, cannot make this
    /// program do anything then. Default: such tasks are run, so that encryption can be introduced while tasks are stored.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn only_encrypted(mut self) -> Self {
        self.only_encrypted = true;
        self
    }

    /// How payloads are compressed, where they are.
    #[cfg(feature = "zstd")]
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Compresses every payload that is large enough, whatever the job says. Default: only where the job says so.
    ///
    /// The size of what is compressed tells something of what is in it, also where it is encrypted: leave out jobs whose
    /// payload holds a secret beside something that strangers choose.
    #[cfg(feature = "zstd")]
    #[must_use]
    pub fn compress_all(mut self) -> Self {
        self.to_all = self.to_all.compressed();
        self
    }

    /// Whether a payload that asks for these layers is stored encrypted.
    pub(crate) fn encrypts(&self, wanted: Layers) -> bool {
        self.to_all.and(wanted).encrypt
    }

    /// Makes the payload of a message what is to be stored.
    pub(crate) fn seal(&self, message: &mut TaskMessage, wanted: Layers) -> Result<()> {
        let wanted = self.to_all.and(wanted);
        if wanted != Layers::NONE {
            let (payload, mark) =
                self.layered(message, wanted).map_err(|reason| not_stored(message, reason))?;
            message.payload = payload;
            if let Some(mark) = mark {
                message.headers.insert(LAYERS_HEADER.to_owned(), mark);
            }
        }
        match self.max_size {
            Some(limit) if message.payload.len() > limit => Err(Error::PayloadTooLarge {
                job: message.task_type.clone(),
                size: message.payload.len(),
                limit,
            }),
            _ => Ok(()),
        }
    }

    fn layered(&self, message: &TaskMessage, wanted: Layers) -> Result<(Bytes, Option<String>), String> {
        let mut payload = message.payload.clone();
        let mut mark = Mark::default();
        if wanted.compress
            && let Some(compressed) = self.compressed(&payload)?
        {
            payload = compressed;
            mark.is_compressed = true;
        }
        #[cfg(feature = "encryption")]
        if wanted.encrypt {
            let Some(keys) = &self.keys else { return Err(NO_KEYS.to_owned()) };
            mark.key = Some(keys.current());
            payload = keys
                .encrypt(&payload, &bound(message, mark))
                .ok_or("it cannot be encrypted: the system gives no random numbers")?;
        }
        #[cfg(not(feature = "encryption"))]
        if wanted.encrypt {
            return Err(OpenError::NotBuilt { feature: "encryption" }.to_string());
        }
        Ok((payload, mark.header()))
    }

    #[cfg(feature = "zstd")]
    fn compressed(&self, payload: &Bytes) -> Result<Option<Bytes>, String> {
        let most = self.compression.most;
        if payload.len() > most {
            let size = payload.len();
            return Err(format!("it is of {size} bytes, and nobody would uncompress more than {most}"));
        }
        Ok(self.compression.compress(payload))
    }

    #[cfg(not(feature = "zstd"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn compressed(&self, _payload: &Bytes) -> Result<Option<Bytes>, String> {
        Err(OpenError::NotBuilt { feature: "zstd" }.to_string())
    }

    /// A message with its payload as it was before it was stored; nothing where that is how it is stored.
    pub(crate) fn open(&self, message: &TaskMessage) -> Result<Option<TaskMessage>, OpenError> {
        let Some(header) = message.headers.get(LAYERS_HEADER) else {
            return if self.only_encrypted { Err(OpenError::NotEncrypted) } else { Ok(None) };
        };
        let mark = Mark::parse(header)?;
        if self.only_encrypted && mark.key.is_none() {
            return Err(OpenError::NotEncrypted);
        }
        let mut payload = message.payload.clone();
        if let Some(key) = mark.key {
            payload = self.decrypted(message, mark, key)?;
        }
        if mark.is_compressed {
            payload = self.decompressed(&payload)?;
        }
        let mut opened = TaskMessage { payload, ..message.clone() };
        opened.headers.remove(LAYERS_HEADER);
        Ok(Some(opened))
    }

    #[cfg(feature = "encryption")]
    fn decrypted(&self, message: &TaskMessage, mark: Mark<'_>, key: &str) -> Result<Bytes, OpenError> {
        match &self.keys {
            Some(keys) => keys.decrypt(key, &message.payload, &bound(message, mark)),
            None => Err(OpenError::UnknownKey { key: key.to_owned(), has: "no keys".to_owned() }),
        }
    }

    #[cfg(not(feature = "encryption"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn decrypted(&self, _message: &TaskMessage, _mark: Mark<'_>, _key: &str) -> Result<Bytes, OpenError> {
        Err(OpenError::NotBuilt { feature: "encryption" })
    }

    #[cfg(feature = "zstd")]
    fn decompressed(&self, payload: &Bytes) -> Result<Bytes, OpenError> {
        self.compression.decompress(payload)
    }

    #[cfg(not(feature = "zstd"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn decompressed(&self, _payload: &Bytes) -> Result<Bytes, OpenError> {
        Err(OpenError::NotBuilt { feature: "zstd" })
    }

    /// Seals anew what takes the place of a stored payload, in all ways in which that was sealed.
    pub(crate) fn reseal(&self, message: &mut TaskMessage) -> Result<()> {
        let layers = Self::layers_of(message).map_err(|error| not_stored(message, error.to_string()))?;
        message.headers.remove(LAYERS_HEADER);
        self.seal(message, layers)
    }

    /// The ways in which the payload of a message is sealed.
    pub(crate) fn layers_of(message: &TaskMessage) -> Result<Layers, OpenError> {
        let Some(header) = message.headers.get(LAYERS_HEADER) else { return Ok(Layers::NONE) };
        let mark = Mark::parse(header)?;
        Ok(Layers { compress: mark.is_compressed, encrypt: mark.key.is_some() })
    }
}

fn not_stored(message: &TaskMessage, reason: String) -> Error {
    Error::PayloadNotStored { job: message.task_type.clone(), reason }
}

#[cfg(feature = "encryption")]
const NO_KEYS: &str =
    "it is to be encrypted, and this client has no keys: give it some by `Client::payloads`";

/// What an encrypted payload is bound to: how it is stored, and of which task it is. No two tasks have the same text.
#[cfg(feature = "encryption")]
fn bound(message: &TaskMessage, mark: Mark<'_>) -> String {
    let TaskMessage { task_type, id, .. } = message;
    format!("{}\n{}:{task_type}{}:{id}", mark.header().unwrap_or_default(), task_type.len(), id.len())
}
