//! [`ServerHandle`]: what can be asked of a running server, and told to it, from anywhere in the program.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Queues;
use super::health::Health;
use super::processor::Control;
use super::running::Running;
use crate::broker::Broker;
use crate::error::Result;

/// A running server, to be asked and told things; [`Server`](super::Server) itself has the same methods. Cheap to
/// clone, and of use while the server is being [run](super::Server::until_signalled).
#[derive(Clone)]
pub struct ServerHandle(pub(super) Arc<Shared>);

/// What the handles of one server share.
pub(super) struct Shared {
    pub(super) id: String,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) control: watch::Sender<Control>,
    pub(super) queues: Queues,
    pub(super) health: watch::Receiver<Health>,
    pub(super) running: Running,
    pub(super) concurrency: usize,
    pub(super) cancel_grace: Duration,
}

/// How a server's slots are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slots {
    /// How many tasks it may run at a time.
    pub all: usize,
    /// How many it runs.
    pub running: usize,
    /// How many of these should have ended: they are past their deadline, or were cancelled, and their handlers block
    /// their threads, so that nothing can end them. Each keeps its slot: no more than `all` ever run.
    pub overdue: usize,
}

/// What a server is doing, in Go's words, which inspectors show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerStatus {
    /// It takes tasks and runs them.
    Active,
    /// It takes no more tasks; those that run go on.
    Stopped,
    /// It shuts down, or has ended.
    Closed,
}

impl fmt::Display for ServerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Stopped => "stopped",
            Self::Closed => "closed",
        })
    }
}

impl From<Control> for ServerStatus {
    fn from(control: Control) -> Self {
        match control {
            Control::Fetch => Self::Active,
            Control::Stop => Self::Stopped,
            Control::Drain(_) => Self::Closed,
        }
    }
}

impl ServerHandle {
    /// The server's ID: a UUID of this run.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What the server is doing.
    pub fn status(&self) -> ServerStatus {
        ServerStatus::from(*self.0.control.borrow())
    }

    /// Whether the server takes tasks and its broker answered when last asked: what a readiness probe wants to know.
    /// Asks nobody.
    pub fn is_ready(&self) -> bool {
        self.status() == ServerStatus::Active && self.0.health.borrow().error.is_none()
    }

    /// How the slots are used at present.
    pub fn slots(&self) -> Slots {
        let Shared { broker, running, concurrency, cancel_grace, .. } = &*self.0;
        let (now, table) = (broker.clock().now(), running.lock());
        Slots {
            all: *concurrency,
            running: table.values().filter(|held| held.runs()).count(),
            overdue: table.values().filter(|held| held.is_overdue(now, *cancel_grace)).count(),
        }
    }

    /// What the last health check found; see [`health_check`](super::ServerBuilder::health_check).
    pub fn health(&self) -> Health {
        self.0.health.borrow().clone()
    }

    /// Whether the broker answers now.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`](crate::Error::Broker) when it does not.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.0.broker.ping().await?)
    }

    /// The queues that the server takes from, to be looked at and changed.
    pub fn queues(&self) -> Queues {
        self.0.queues.clone()
    }

    /// Takes no more tasks; those that run go on, and scheduled tasks are still moved to pending. A server does not
    /// start again; [`shutdown`](super::Server::shutdown) ends it.
    pub fn stop(&self) {
        let stopped = self.0.control.send_if_modified(|control| {
            let is_active = *control == Control::Fetch;
            if is_active {
                *control = Control::Stop;
            }
            is_active
        });
        if stopped {
            tracing::info!(server_id = self.id(), "server takes no more tasks");
        }
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle")
            .field("id", &self.0.id)
            .field("status", &self.status())
            .field("queues", &self.0.queues)
            .finish_non_exhaustive()
    }
}
