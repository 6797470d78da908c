//! [`ConnectOptions`]: where Redis is, how to log in there, and under which names keys are.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisConnectionInfo;

use super::address::{Address, Endpoint, Password};
use super::connection::RESPONSE_TIMEOUT;
#[cfg(not(feature = "rustls"))]
use super::dial::Encryption;
use super::dial::{CONNECT_TIMEOUT, Dialer};
use super::places::MAX_WAITING;
use super::script::Replicas;
#[cfg(feature = "rustls")]
use super::tls::{Encryption, TlsOptions};
use crate::error::{Error, Result};
use crate::wire::keys::Keyspace;

/// Where Redis is, how to log in there, and under which names keys are: what a URL says, and what it cannot say.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use asynq_core::broker::redis::ConnectOptions;
///
/// let options = ConnectOptions::new("redis://redis.example.com")?
///     .login("worker", "a long password")
///     .connect_timeout(Duration::from_secs(2));
/// assert!(!format!("{options:?}").contains("a long password"));
/// # Ok::<(), asynq_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ConnectOptions {
    pub(super) address: Address,
    #[cfg(feature = "rustls")]
    tls: TlsOptions,
    connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    pub(super) max_waiting: usize,
    pub(super) keyspace: Keyspace,
    pub(super) replicas: Option<Replicas>,
}

impl ConnectOptions {
    /// What the URL says, and the defaults. The forms of URLs are those of [`Address`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`] says which part of the URL is wrong.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self::at(url.parse()?))
    }

    /// The address, and the defaults.
    pub fn at(address: Address) -> Self {
        Self {
            address,
            #[cfg(feature = "rustls")]
            tls: TlsOptions::new(),
            connect_timeout: CONNECT_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
            max_waiting: MAX_WAITING,
            keyspace: Keyspace::default(),
            replicas: None,
        }
    }

    /// Logs in as this user (Redis 6 or newer). For sentinels, see [`sentinel_login`](Self::sentinel_login).
    #[must_use]
    pub fn login(mut self, username: impl Into<String>, password: impl Into<Password>) -> Self {
        self.address.username = Some(username.into());
        self.address.password = Some(password.into());
        self
    }

    /// Logs in with this password alone, as the default user.
    #[must_use]
    pub fn password(mut self, password: impl Into<Password>) -> Self {
        self.address.username = None;
        self.address.password = Some(password.into());
        self
    }

    /// Logs in at the sentinels as this user. Without effect where there are none.
    #[must_use]
    pub fn sentinel_login(mut self, name: impl Into<String>, secret: impl Into<Password>) -> Self {
        if let Endpoint::Sentinel { username, password, .. } = &mut self.address.endpoint {
            *username = Some(name.into());
            *password = Some(secret.into());
        }
        self
    }

    /// Uses this database. A cluster has only number 0, the default.
    #[must_use]
    pub fn db(mut self, db: u32) -> Self {
        self.address.db = db.into();
        self
    }

    /// Encrypts connections, as the URL scheme `rediss` does too; so those to sentinels.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.address.tls = true;
        self.tls = options;
        self
    }

    /// How long connecting may take, the login included: 5 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an answer may take before the connection counts as broken: 5 seconds by default.
    #[must_use]
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.response_timeout = limit;
        self
    }

    /// How many calls may wait for their answers at one time: 10,000 by default. While Redis does not answer, whatever a
    /// program calls waits until the timeouts, and takes memory; one call more than this fails at once, with an error of
    /// the kind [`Busy`](crate::broker::BrokerErrorKind::Busy), and nothing of it is sent. New tasks are counted, and
    /// questions; those of a worker's own loop, which are few, are not.
    #[must_use]
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.max_waiting = calls;
        self
    }

    /// What the names of all keys begin with: `asynq` by default. Programs that use another prefix share nothing with
    /// those that use this one, and **Go programs cannot read it**: they know `asynq` alone.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if it is empty, or has a brace: a cluster would put keys where those braces say.
    pub fn key_prefix(mut self, prefix: &str) -> Result<Self> {
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            let reason = format!("`{prefix}` must have one character or more, none of them a brace");
            return Err(Error::InvalidSetting { name: "key_prefix", reason });
        }
        self.keyspace = Keyspace::new(prefix);
        Ok(self)
    }

    /// Takes a new task for stored only when so many replicas have it too (Redis's `WAIT`): what is acknowledged then
    /// survives the loss of the master, unless that one replica is lost with it or is not the one that takes over.
    ///
    /// When they do not have it in time the answer is [`Error::Broker`] of the kind
    /// [`Unavailable`](crate::broker::BrokerErrorKind::Unavailable), though the task *is* stored on the master: enqueue
    /// it again under the same ID, and a conflict is the proof that it was. Tasks that are enqueued at the same time
    /// wait for each other, over a connection of their own. Settlements of runs are not waited for: those that are lost
    /// make tasks run again.
    #[must_use]
    pub fn wait_replicas(mut self, count: u32, within: Duration) -> Self {
        self.replicas = (count > 0).then_some(Replicas { count, within });
        self
    }

    /// What connections need.
    pub(super) fn dialer(&self) -> Result<Dialer> {
        let Address { db, username, password, .. } = &self.address;
        self.dialer_for(*db, username.as_deref(), password.as_ref())
    }

    /// What connections to sentinels need, which have no databases.
    pub(super) fn sentinel_dialer(&self, user: Option<&str>, password: Option<&Password>) -> Result<Dialer> {
        self.dialer_for(0, user, password)
    }

    fn dialer_for(&self, db: i64, user: Option<&str>, password: Option<&Password>) -> Result<Dialer> {
        let mut login = RedisConnectionInfo::default().set_db(db).set_skip_set_lib_name();
        if let Some(user) = user {
            login = login.set_username(user);
        }
        if let Some(password) = password {
            login = login.set_password(password.reveal());
        }
        Ok(Dialer { login, encryption: self.encryption()?, timeout: self.connect_timeout })
    }

    #[cfg(not(feature = "rustls"))]
    fn encryption(&self) -> Result<Option<Arc<Encryption>>> {
        if self.address.tls {
            let reason =
                "rediss: encrypted connections need asynq's feature `rustls`, which is not in this build";
            return Err(Error::InvalidUrl { reason: reason.to_owned() });
        }
        Ok(None)
    }

    #[cfg(feature = "rustls")]
    fn encryption(&self) -> Result<Option<Arc<Encryption>>> {
        if !self.address.tls {
            return Ok(None);
        }
        if let Endpoint::Socket(_) = self.address.endpoint {
            return Err(Error::InvalidSetting {
                name: "tls",
                reason: "a Unix socket is not encrypted; leave it out".to_owned(),
            });
        }
        let encryption = Encryption::new(&self.tls);
        encryption
            .map(|encryption| Some(Arc::new(encryption)))
            .map_err(|reason| Error::InvalidSetting { name: "tls", reason })
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("address", &self.address)
            .field("keyspace", &self.keyspace)
            .finish_non_exhaustive()
    }
}
