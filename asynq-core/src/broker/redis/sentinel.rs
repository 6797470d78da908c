//! [`Sentinels`]: which server is the master now.
//!
//! All sentinels are asked at the same time, whenever a connection is made. What one says is believed only if that
//! server says of itself that it is a master: a sentinel which is cut off from the others knows of no fail-over.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::{ErrorKind, RedisError, RedisResult};

use super::address::Host;
use super::dial::{Answers, Dialer, Peer};

/// How long a sentinel may take to answer: it does little else.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The sentinels of one master.
pub(super) struct Sentinels {
    pub(super) hosts: Vec<Host>,
    pub(super) master: String,
    /// Sentinels have logins of their own.
    pub(super) dialer: Dialer,
}

impl Sentinels {
    /// The first of the servers that sentinels name which is a master.
    pub(super) async fn master(&self, dialer: &Dialer) -> RedisResult<Peer> {
        let mut answers: FuturesUnordered<_> = self.hosts.iter().map(|host| self.ask(host)).collect();
        let (mut looked_at, mut failure): (Vec<Peer>, Option<RedisError>) = (Vec::new(), None);
        while let Some(answer) = answers.next().await {
            let error = match answer {
                Ok(peer) if looked_at.contains(&peer) => continue,
                Ok(peer) => match check_role(dialer, &peer).await {
                    Ok(()) => return Ok(peer),
                    Err(error) => {
                        looked_at.push(peer);
                        error
                    }
                },
                Err(error) => error,
            };
            // What a server said tells more than that a sentinel was silent.
            if failure.is_none() || !error.is_io_error() {
                failure = Some(error);
            }
        }
        Err(failure.unwrap_or_else(|| io::Error::other("the address names no sentinel").into()))
    }

    async fn ask(&self, sentinel: &Host) -> RedisResult<Peer> {
        let mut session =
            self.dialer.session(&Peer::Host(sentinel.clone()), Answers::within(ANSWER_TIMEOUT)).await?;
        let named: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg("get-master-addr-by-name")
            .arg(&self.master)
            .query_async(&mut session.server)
            .await?;
        match named {
            Some((name, port)) => Ok(Peer::Host(Host { name, port })),
            None => Err(RedisError::from((
                ErrorKind::MasterNameNotFoundBySentinel,
                "the sentinels watch no master of this name",
                format!("`{}`, says {sentinel}", self.master),
            ))),
        }
    }
}

/// Whether a server takes itself for a master. One that does not let us ask is believed to.
async fn check_role(dialer: &Dialer, peer: &Peer) -> RedisResult<()> {
    let mut session = dialer.session(peer, Answers::within(ANSWER_TIMEOUT)).await?;
    match redis::cmd("ROLE").query_async::<Vec<redis::Value>>(&mut session.server).await {
        Ok(role) if matches!(role.first(), Some(redis::Value::BulkString(role)) if role != b"master") => {
            let what =
                format!("{peer} is no master: the sentinels are changing it, or one of them is cut off");
            Err(io::Error::new(io::ErrorKind::ConnectionRefused, what).into())
        }
        Err(error) if error.code() != Some("NOPERM") => Err(error),
        _ => Ok(()),
    }
}
