//! [`Passwords`]: argon2id, which takes time and memory by design, a few at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::problem::Problem;

/// As many are looked at at one time.
const AT_A_TIME: usize = 2;

/// As many may wait until others are.
const WAITING: usize = 64;

/// No password is longer.
pub(super) const LONGEST: usize = 1_024;

/// What a hash in a file may cost to look at: 1 GiB, so many rounds.
const MOST_COST: (u32, u32) = (1 << 20, 100);

/// The hash of a password, for the file of [users](crate::Users): argon2id with random salt.
///
/// It takes about 20 MiB and some hundredths of a second of a processor.
///
/// # Errors
///
/// When the password is longer than 1,024 bytes, or the system has no randomness to give.
///
/// # Examples
///
/// ```
/// let hash = asynq_web::hash_password("correct horse battery staple")?;
/// assert!(hash.starts_with("$argon2id$v=19$"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn hash_password(password: &str) -> std::io::Result<String> {
    if password.len() > LONGEST {
        let reason = format!("a password has at most {LONGEST} bytes, got {}", password.len());
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason));
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(std::io::Error::other)?;
    let hash: Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(std::io::Error::other)
}

/// Why a text is no hash that we take.
pub(super) fn check_hash(text: &str) -> Result<(), String> {
    let wanted = "`asynq web hash-password` makes one";
    let hash = PasswordHash::new(text)
        .map_err(|error| format!("this is no hash of a password ({error}); {wanted}"))?;
    if hash.algorithm.as_str() != "argon2id" {
        return Err(format!("passwords are hashed by argon2id, not by `{}`; {wanted}", hash.algorithm));
    }
    let params = Params::try_from(&hash).map_err(|error| format!("{error}; {wanted}"))?;
    if hash.hash.is_none() || hash.salt.is_none() {
        return Err(format!("this is not the whole of a hash; {wanted}"));
    }
    if params.m_cost() > MOST_COST.0 || params.t_cost() > MOST_COST.1 {
        return Err(format!("looking at this takes more than 1 GiB or {} rounds; {wanted}", MOST_COST.1));
    }
    Ok(())
}

/// Looks at passwords, a few at a time: each takes a processor and memory for a while.
#[derive(Debug)]
pub(super) struct Passwords {
    looking: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { looking: Arc::new(Semaphore::new(AT_A_TIME)), waiting: Semaphore::new(WAITING) }
    }
}

impl Passwords {
    /// Whether this is the password with that hash.
    pub(super) async fn fit(&self, given: String, hash: Arc<str>) -> Result<bool, Problem> {
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(Problem::new("too_many", "too many people log in at this moment: try it again"));
        };
        let failed = |error: &dyn std::fmt::Display| Problem::new("failed", error.to_string());
        let permit = Arc::clone(&self.looking).acquire_owned().await.map_err(|error| failed(&error))?;
        let looked = spawn_blocking(move || {
            // It goes with the work: who is gone meanwhile makes no room for more.
            let _permit = permit;
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(given.as_bytes(), &hash).is_ok())
        });
        looked.await.map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the password `xyzzy`, cheap to look at.
    pub(super) const CHEAP: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$";

    fn cheap(password: &str) -> String {
        let argon2 = Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            Params::new(8, 1, 1, None).unwrap(),
        );
        let hash: PasswordHash =
            argon2.hash_password_with_salt(password.as_bytes(), b"saltsaltsalt").unwrap();
        hash.to_string()
    }

    #[tokio::test]
    async fn the_right_one_fits_and_no_other() {
        let passwords = Passwords::default();
        let hash: Arc<str> = cheap("xyzzy").into();
        assert!(hash.starts_with(CHEAP), "{hash}");
        assert_eq!(check_hash(&hash), Ok(()));
        for (given, fits) in [("xyzzy", true), ("xyzz", false), ("", false), ("xyzzy ", false)] {
            assert_eq!(passwords.fit(given.to_owned(), Arc::clone(&hash)).await.unwrap(), fits, "{given}");
        }
        let whole = hash_password("pässword").unwrap();
        assert_eq!(check_hash(&whole), Ok(()));
        assert!(passwords.fit("pässword".to_owned(), whole.into()).await.unwrap());
        assert!(hash_password(&"x".repeat(1_025)).is_err());
    }

    #[test]
    fn what_is_no_such_hash_is_refused() {
        for (text, words) in [
            ("", "no hash of a password"),
            ("secret", "no hash of a password"),
            ("$2b$12$abcdefghijklmnopqrstuv", "hash"),
            ("$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA", "not by `argon2i`"),
            ("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0", "not the whole"),
            ("$argon2id$v=19$m=4000000,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA", "1 GiB"),
        ] {
            let error = check_hash(text).unwrap_err();
            assert!(error.contains(words) && error.contains("hash-password"), "{text}: {error}");
        }
    }
}
