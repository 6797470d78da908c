//! [`Shared`]: what all requests share.

use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;

use crate::bulk::Bulk;
use crate::doctor::Doctor;
use crate::gate::{Hosts, Mount};
use crate::live::Live;
use crate::rights::Rights;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) inspector: Inspector,
    pub(crate) title: String,
    /// What somebody may do of whom nothing is known; `None` where nobody may come without a login.
    pub(crate) anonymous: Option<Rights>,
    /// Whether the routes of asynqmon are answered.
    pub(crate) asynqmon: bool,
    pub(crate) hosts: Hosts,
    pub(crate) mount: Mount,
    /// How often pages are brought up to date.
    pub(crate) refresh: Duration,
    pub(crate) bulk: Bulk,
    pub(crate) doctor: Doctor,
    pub(crate) live: Live,
}
