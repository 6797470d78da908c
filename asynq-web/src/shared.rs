//! [`Shared`]: what all requests to a store share.

use std::sync::Arc;
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::{Inspector, Masks};

use crate::badge::Badge;
use crate::bulk::Bulk;
use crate::changing::Changing;
use crate::doctor::Doctor;
use crate::formats::Formats;
use crate::gate::{Hosts, Mount, Pace, Proxies};
use crate::history::History;
use crate::live::Live;
use crate::login::Door;
use crate::prometheus::Prometheus;
use crate::rights::{Rights, Visitor};
use crate::tallies::Tallies;
use crate::task_links::TaskLinks;

/// What all requests to a store share. The login, and what is said of all stores, is the same in each.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the store is called; empty where it is the only one and has no name.
    pub(crate) name: Arc<str>,
    pub(crate) client: Client,
    pub(crate) inspector: Inspector,
    pub(crate) title: String,
    /// Which environment this is, if that is said.
    pub(crate) badge: Option<Badge>,
    /// What somebody may do of whom nothing is known; `None` where nobody may come without a login.
    pub(crate) anonymous: Option<Rights>,
    /// Where those come in who are known to us, if we have users of our own.
    pub(crate) door: Option<Arc<Door>>,
    /// What is shown only to who has the right to see it.
    pub(crate) masks: Masks,
    /// How the application has shown what tasks carry.
    pub(crate) formats: Formats,
    /// Where else something is known of tasks.
    pub(crate) task_links: TaskLinks,
    /// Whether nobody may change anything.
    pub(crate) read_only: bool,
    pub(crate) proxies: Proxies,
    pub(crate) pace: Pace,
    /// Whether the routes of asynqmon are answered.
    pub(crate) asynqmon: bool,
    pub(crate) hosts: Hosts,
    pub(crate) mount: Mount,
    /// How often pages are brought up to date.
    pub(crate) refresh: Duration,
    pub(crate) bulk: Bulk,
    pub(crate) changing: Changing,
    pub(crate) history: History,
    pub(crate) tallies: Tallies,
    /// Where charts of Prometheus come from, if they do.
    pub(crate) prometheus: Option<Prometheus>,
    pub(crate) doctor: Doctor,
    pub(crate) live: Live,
}

impl Shared {
    /// What somebody may do here.
    pub(crate) fn rights_of(&self, visitor: &Visitor) -> Rights {
        let rights = visitor.rights().clone().at(&self.name);
        if self.read_only { rights.reading() } else { rights }
    }
}
