//! [`Door`]: who asks, as far as we can tell ourselves.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderName};
use jiff::Timestamp;

use super::attempts::Attempts;
use super::cookie;
use super::passwords::{LONGEST, Passwords};
use super::secret::Digest;
use super::sessions::Sessions;
use super::users::{Known as Table, Users};
use crate::gate::Caller;
use crate::problem::Problem;
use crate::rights::Visitor;

/// Where those come in who are known to us.
#[derive(Debug)]
pub(crate) struct Door {
    users: Users,
    sessions: Sessions,
    attempts: Attempts,
    passwords: Passwords,
    vouched: Vouched,
}

/// The headers in which a trusted proxy says whom it has logged in, if it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vouched {
    pub(crate) user: Option<HeaderName>,
    pub(crate) groups: Option<HeaderName>,
}

/// Somebody who is known, and by what.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) visitor: Visitor,
    pub(crate) pass: Pass,
}

/// By what somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Nothing of ours: the application knows them, or nobody has to be known.
    None,
    /// They have logged in.
    Session(Digest),
    /// A program's token.
    Token(Digest),
    /// A proxy vouches for them.
    Proxy,
}

impl Door {
    pub(crate) fn new(users: Users, vouched: Vouched) -> Self {
        Self {
            users,
            sessions: Sessions::default(),
            attempts: Attempts::default(),
            passwords: Passwords::default(),
            vouched,
        }
    }

    /// Who asks; `None` for a stranger.
    pub(crate) fn who(
        &self,
        headers: &HeaderMap,
        root: &str,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Option<Known>, Problem> {
        let known = self.users.known();
        if let Some(token) = bearer(headers) {
            let pass = Pass::Token(Digest::of(token));
            let unknown = || Problem::new("unauthenticated", "this token is not known, or has expired");
            let visitor = self.still(&known, pass, now).ok_or_else(unknown)?;
            return Ok(Some(Known { visitor, pass }));
        }
        if let Some(visitor) = self.vouched_for(&known, headers, caller)? {
            return Ok(Some(Known { visitor, pass: Pass::Proxy }));
        }
        let mut passes =
            cookie::read(headers, root, caller.is_secure).map(|value| Pass::Session(Digest::of(value)));
        Ok(passes.find_map(|pass| Some(Known { visitor: self.still(&known, pass, now)?, pass })))
    }

    /// Whom this lets in at this moment.
    pub(crate) fn admitted(&self, pass: Pass, now: Timestamp) -> Option<Visitor> {
        self.still(&self.users.known(), pass, now)
    }

    fn still(&self, known: &Table, pass: Pass, now: Timestamp) -> Option<Visitor> {
        match pass {
            Pass::Token(token) => {
                let program = known.tokens.get(&token)?;
                let is_alive = program.expires.is_none_or(|expires| now < expires);
                is_alive.then(|| Visitor::new(Arc::clone(&program.name), program.rights.clone()))
            }
            Pass::Session(session) => {
                let (name, password) = self.sessions.user(session)?;
                let person = known.people.get(&name)?;
                let is_same = person.password.as_deref().is_some_and(|hash| Digest::of(hash) == password);
                is_same.then(|| Visitor::new(name, person.rights.clone()))
            }
            Pass::None | Pass::Proxy => None,
        }
    }

    /// Whom a proxy vouches for.
    fn vouched_for(
        &self,
        known: &Table,
        headers: &HeaderMap,
        caller: &Caller,
    ) -> Result<Option<Visitor>, Problem> {
        let given = |header: &Option<HeaderName>| {
            header.as_ref().map(|name| headers.get_all(name).iter().collect::<Vec<_>>())
        };
        let users = given(&self.vouched.user).unwrap_or_default();
        if users.is_empty() {
            return Ok(None);
        }
        if !caller.is_known_proxy {
            let from = caller
                .peer
                .map_or_else(|| "an address that is not known".to_owned(), |peer| peer.to_string());
            let reason =
                format!("a header that says who is logged in came from {from}, which is no trusted proxy");
            return Err(Problem::new("untrusted_proxy", reason));
        }
        let name = match users.as_slice() {
            [name] => name.to_str().ok().map(str::trim).filter(|name| !name.is_empty()),
            _ => None,
        };
        let Some(name) = name else {
            return Err(Problem::new("untrusted_proxy", "the proxy does not say clearly who is logged in"));
        };
        if let Some(person) = known.people.get(name) {
            return Ok(Some(Visitor::new(name, person.rights.clone())));
        }
        let groups = given(&self.vouched.groups).unwrap_or_default();
        let groups: Vec<&str> = groups
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        let rights = known.groups.iter().find(|(group, _)| group == "*" || groups.contains(&group.as_str()));
        match rights {
            Some((_, rights)) => Ok(Some(Visitor::new(name, rights.clone()))),
            None => {
                Err(Problem::new("unknown_user", format!("`{name}` is logged in, but has no rights here")))
            }
        }
    }

    /// Logs somebody in: what their browser is to keep; `Ok(None)` when name or password is wrong.
    pub(crate) async fn log_in(
        &self,
        name: &str,
        password: &str,
        caller: &Caller,
    ) -> Result<Option<String>, Problem> {
        let attempt = self.attempts.begin(name, caller.address).map_err(too_often)?;
        if password.len() > LONGEST {
            return Ok(None);
        }
        let known = self.users.known();
        let person = known
            .people
            .get_key_value(name)
            .and_then(|(name, person)| Some((name, person.password.as_ref()?)));
        // For somebody who is not known the same work is done, so that nobody learns from the time who is.
        let someone = || known.people.values().find_map(|person| person.password.as_ref());
        let Some(hash) = person.map(|(_, hash)| hash).or_else(someone) else { return Ok(None) };
        let fits = self.passwords.fit(password.to_owned(), Arc::clone(hash)).await?;
        let Some((name, hash)) = person.filter(|_| fits) else { return Ok(None) };
        attempt.forgive();
        let session = self.sessions.begin(name, Digest::of(hash));
        session.map(Some).map_err(|error| Problem::new("failed", error.to_string()))
    }

    /// Ends a session.
    pub(crate) fn log_out(&self, pass: Pass) {
        if let Pass::Session(session) = pass {
            self.sessions.end(session);
        }
    }
}

fn too_often(wait: Duration) -> Problem {
    Problem::new("too_many_attempts", "there were too many wrong passwords: wait a while").retry_after(wait)
}

/// The token of a program.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
