//! [`Sessions`]: who has logged in.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::secret::{Digest, random};
use crate::background::lock;

/// A session ends when it was not used for so long. Open pages use theirs now and then.
const IDLE: Duration = Duration::from_secs(8 * 3_600);

/// And in any case after this time.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);

/// As many there are; then the one that was not used for longest ends.
const MOST: usize = 10_000;

/// And as many of one user, so that none can end those of others.
const MOST_OF_ONE: usize = 50;

/// Who has logged in, in the memory of this process.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// By the hash of what the browser has: who sees this memory cannot take a session over.
    known: Mutex<HashMap<Digest, Session>>,
}

#[derive(Clone, Debug)]
struct Session {
    user: Arc<str>,
    /// What the password's hash was: a session ends when that changes.
    password: Digest,
    began: Instant,
    used: Instant,
}

impl Session {
    fn is_alive(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE && now.duration_since(self.began) < LONGEST
    }
}

impl Sessions {
    /// Begins one: what the browser is to keep.
    pub(super) fn begin(&self, user: &Arc<str>, password: Digest) -> io::Result<String> {
        let secret = random()?;
        let now = Instant::now();
        let mut known = self.lock();
        known.retain(|_, session| session.is_alive(now));
        if known.values().filter(|session| session.user == *user).count() >= MOST_OF_ONE {
            forget_oldest(&mut known, |session| session.user == *user);
        }
        if known.len() >= MOST {
            forget_oldest(&mut known, |_| true);
        }
        known
            .insert(Digest::of(&secret), Session { user: Arc::clone(user), password, began: now, used: now });
        Ok(secret)
    }

    /// Whose it is, with what the password's hash was then.
    pub(super) fn user(&self, session: Digest) -> Option<(Arc<str>, Digest)> {
        let now = Instant::now();
        let mut known = self.lock();
        let session = known.get_mut(&session).filter(|session| session.is_alive(now))?;
        session.used = now;
        Some((Arc::clone(&session.user), session.password))
    }

    /// Ends one.
    pub(super) fn end(&self, session: Digest) {
        self.lock().remove(&session);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Session>> {
        lock(&self.known)
    }
}

fn forget_oldest(known: &mut HashMap<Digest, Session>, of: impl Fn(&Session) -> bool) {
    let candidates = known.iter().filter(|(_, session)| of(session));
    if let Some(oldest) = candidates.min_by_key(|(_, session)| session.used).map(|(digest, _)| *digest) {
        known.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_end_by_themselves_and_when_told() {
        let sessions = Sessions::default();
        let (ann, hash) = (Arc::from("ann"), Digest::of("hash"));
        let begin = || Digest::of(&sessions.begin(&ann, hash).unwrap());
        let (one, two) = (begin(), begin());
        assert_eq!(sessions.user(one).unwrap(), (Arc::clone(&ann), hash));
        sessions.end(one);
        assert!(sessions.user(one).is_none() && sessions.user(two).is_some());
        for _ in 0..23 {
            advance(IDLE * 9 / 10).await;
            assert!(sessions.user(two).is_some(), "it is used");
        }
        advance(IDLE * 9 / 10).await;
        assert!(sessions.user(two).is_none(), "after seven days");
        let idle = begin();
        advance(IDLE).await;
        assert!(sessions.user(idle).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_only_so_many() {
        let sessions = Sessions::default();
        let hash = Digest::of("hash");
        let bob = Digest::of(&sessions.begin(&Arc::from("bob"), hash).unwrap());
        for _ in 0..2 * MOST_OF_ONE {
            advance(Duration::from_secs(1)).await;
            sessions.begin(&Arc::from("ann"), hash).unwrap();
        }
        assert_eq!(sessions.lock().len(), MOST_OF_ONE + 1);
        assert!(sessions.user(bob).is_some(), "ann ends her own");
    }
}
