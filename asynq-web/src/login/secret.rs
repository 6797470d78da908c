//! [`Digest`], which is all that is kept of a secret, and [`Token`]: a secret for a program.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a secret that was drawn at random. It cannot be guessed back, so it may be kept and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// 256 random bits, as text that can stand in a cookie and in a header.
pub(super) fn random() -> io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new secret for a program that uses the API, to be shown once: a [file of users](crate::Users) has only its hash.
///
/// # Examples
///
/// ```
/// let token = asynq_web::Token::new()?;
/// let line = format!("[[tokens]]\nname = \"deploy\"\nsha256 = \"{}\"\nrole = \"operator\"\n", token.sha256());
/// asynq_web::Users::parse(&line).expect("a file of users");
/// println!("send it as `Authorization: Bearer {}`", token.secret());
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub struct Token {
    secret: String,
}

impl Token {
    /// Draws 256 random bits.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub fn new() -> io::Result<Self> {
        // Who finds it somewhere sees what it is, and so do the programs that look for leaked secrets.
        random().map(|secret| Self { secret: format!("asynq_{secret}") })
    }

    /// What the program sends.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// What the file of users has of it: 64 hexadecimal digits.
    pub fn sha256(&self) -> String {
        Digest::of(&self.secret).to_string()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::of("abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Digest::read(&digest.to_string().to_uppercase()), Some(digest));
        for text in ["", "ba78", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Digest::read(text), None, "{text}");
        }
    }

    #[test]
    fn no_two_secrets_are_the_same() {
        let token = Token::new().unwrap();
        assert_ne!(token.secret(), Token::new().unwrap().secret());
        assert!(token.secret().len() > 43 && !format!("{token:?}").contains(token.secret()));
    }
}
