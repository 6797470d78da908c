//! [`Keyring`]: the keys that payloads are encrypted with, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::OpenError;
use super::mark::{LONGEST_KEY_NAME, is_key_name};
use crate::error::{Error, Result};

/// What each payload's own key is made from.
const SALT: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;

/// Before the salt, so that a key which is used for something else gives nothing away here.
const CONTEXT: &[u8] = b"asynq-payload-1";

/// 32 secret bytes. Its debug form does not tell them.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    /// These bytes, which nobody can guess: from a generator of random numbers, not a password.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// Reads the base64 of 32 bytes, as `openssl rand -base64 32` writes it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] when it is anything else; the text does not tell what it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::payload::Key;
    ///
    /// let key = Key::from_base64("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")?;
    /// assert_eq!(format!("{key:?}"), "Key(..)");
    /// assert!(Key::from_base64("secret").is_err());
    /// # Ok::<(), asynq_core::Error>(())
    /// ```
    pub fn from_base64(text: &str) -> Result<Self> {
        let bytes = BASE64_STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self::new).ok_or_else(|| Error::InvalidSetting {
            name: "key",
            reason: "must be the base64 of 32 bytes, as of `openssl rand -base64 32`".to_owned(),
        })
    }

    /// The key of one payload. Each has its own, so that the number of payloads is no limit: of one key for AES-GCM with
    /// random nonces, four billion messages are the end.
    fn of_payload(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(CONTEXT);
        context.update(salt);
        UnboundKey::new(&AES_256_GCM, context.sign().as_ref()).ok().map(LessSafeKey::new)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The keys of a program: one to encrypt with, and others to read what is stored. Cheap to clone.
///
/// To change the key, in this order: give all programs the new one as [another](Self::and); then encrypt with it, and have
/// the old one as another; then leave that out, when no task is stored any more that it encrypted. The name of the key
/// stands beside each payload, so it is told when it is missing.
///
/// # Examples
///
/// ```
/// use asynq_core::payload::{Key, Keyring};
///
/// let (new, old) = ([1; 32], [2; 32]); // in production, from where secrets are kept
/// let keys = Keyring::new("2026-11", Key::new(new))?.and("2025-03", Key::new(old))?;
/// assert_eq!(format!("{keys:?}"), r#"Keyring { current: "2026-11", others: ["2025-03"] }"#);
/// # Ok::<(), asynq_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    current: Arc<str>,
    keys: BTreeMap<Arc<str>, Key>,
}

impl Keyring {
    /// Encrypts with this key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless the name is of 1 to 64 letters, digits, `.`, `_` and `-`.
    pub fn new(name: &str, key: Key) -> Result<Self> {
        Self { current: name.into(), keys: BTreeMap::new() }.and(name, key)
    }

    /// Reads what this other key has encrypted, too.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); or when a key has that name already.
    pub fn and(mut self, name: &str, key: Key) -> Result<Self> {
        let wrong = |reason: String| Err(Error::InvalidSetting { name: "keyring", reason });
        if !is_key_name(name) {
            return wrong(format!(
                "the name of a key must be of 1 to {LONGEST_KEY_NAME} letters, digits, `.`, `_` and `-`, got {name:?}"
            ));
        }
        if self.keys.insert(name.into(), key).is_some() {
            return wrong(format!("two keys have the name `{name}`"));
        }
        Ok(self)
    }

    /// The name of the key that encrypts.
    pub(super) fn current(&self) -> &str {
        &self.current
    }

    /// Encrypts: salt, nonce, what is encrypted, and a tag that also covers `bound`. `None` when the machine has no random
    /// numbers to give.
    pub(super) fn encrypt(&self, plain: &[u8], bound: &str) -> Option<Bytes> {
        let mut head = [0; SALT + NONCE];
        SystemRandom::new().fill(&mut head).ok()?;
        let (salt, nonce) = head.split_at(SALT);
        let key = self.keys.get(&self.current)?.of_payload(salt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = Vec::with_capacity(head.len() + plain.len() + TAG);
        sealed.extend_from_slice(&head);
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(nonce, Aad::from(bound), &mut body).ok()?;
        sealed.append(&mut body);
        Some(sealed.into())
    }

    /// Decrypts what the key of that name has encrypted for `bound`.
    pub(super) fn decrypt(&self, name: &str, sealed: &[u8], bound: &str) -> Result<Bytes, OpenError> {
        let Some(key) = self.keys.get(name) else {
            let names: Vec<String> = self.keys.keys().map(|name| format!("`{name}`")).collect();
            return Err(OpenError::UnknownKey { key: name.to_owned(), has: names.join(", ") });
        };
        let decrypt = || {
            let (head, body) = sealed.split_at_checked(SALT + NONCE)?;
            let (salt, nonce) = head.split_at(SALT);
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut body = body.to_vec();
            let length = key.of_payload(salt)?.open_in_place(nonce, Aad::from(bound), &mut body).ok()?.len();
            body.truncate(length);
            Some(body.into())
        };
        decrypt().ok_or_else(|| OpenError::NotAuthentic { key: name.to_owned() })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<&str> =
            self.keys.keys().map(|name| &**name).filter(|name| *name != &*self.current).collect();
        f.debug_struct("Keyring").field("current", &self.current).field("others", &others).finish()
    }
}
