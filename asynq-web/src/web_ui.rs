//! [`WebUi`]: how the Web UI is set up.

use std::time::Duration;

use asynq_core::client::{AsClient, Client};
use asynq_core::inspector::Inspector;

use crate::bulk::Bulk;
use crate::doctor::Doctor;
use crate::gate::{Hosts, Mount};
use crate::live::Live;
use crate::rights::Rights;
use crate::service::WebService;
use crate::shared::Shared;

/// How often pages are brought up to date unless told otherwise.
const DEFAULT_REFRESH: Duration = Duration::from_secs(3);

/// The Web UI and its JSON API, before it is a [service](Self::service).
///
/// Without any more words it may be asked by `localhost` and by address, lets everybody who reaches it do everything,
/// and logs nobody in: reach is what protects it. In an application that has a login, put a
/// [`Visitor`](crate::Visitor) into each request and say [`logins_only`](Self::logins_only).
///
/// # Examples
///
/// Below `/jobs` of an application of axum:
///
/// ```
/// use asynq_core::client::Client;
/// use asynq_web::WebUi;
///
/// let client = Client::in_memory();
/// let ui = WebUi::new(&client).allow_host("www.example.com").service();
/// let app: axum::Router = axum::Router::new().nest_service("/jobs", ui);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct WebUi {
    client: Client,
    inspector: Inspector,
    title: String,
    anonymous: Option<Rights>,
    asynqmon: bool,
    hosts: Hosts,
    mount: Mount,
    refresh: Duration,
}

impl WebUi {
    /// A Web UI on what this client's broker stores.
    pub fn new(client: &(impl AsClient + ?Sized)) -> Self {
        Self {
            client: client.as_client().clone(),
            inspector: Inspector::new(client),
            title: String::new(),
            anonymous: Some(Rights::admin()),
            asynqmon: false,
            hosts: Hosts::default(),
            mount: Mount::default(),
            refresh: DEFAULT_REFRESH,
        }
    }

    /// Looks, and archives, through this inspector: one that has the [limits](Inspector::archive_limits) of the servers.
    pub fn inspector(self, inspector: Inspector) -> Self {
        Self { inspector, ..self }
    }

    /// What stands beside the name on every page, such as `production`.
    pub fn title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// What somebody may do of whom nothing is known: [everything](Rights::admin) unless told otherwise, for instance
    /// [`Rights::viewer`] for a Web UI that changes nothing.
    pub fn rights(self, rights: Rights) -> Self {
        Self { anonymous: Some(rights), ..self }
    }

    /// Refuses whoever comes without a [`Visitor`](crate::Visitor): the application must put one into the extensions of
    /// each request.
    pub fn logins_only(self) -> Self {
        Self { anonymous: None, ..self }
    }

    /// Answers when asked by this name, beside `localhost` and addresses. Other names are refused, for a page of anybody
    /// can make its own name lead here.
    pub fn allow_host(mut self, name: impl AsRef<str>) -> Self {
        self.hosts.allow(name.as_ref());
        self
    }

    /// Answers whatever name it is asked by: for an application that looks at names itself.
    pub fn allow_any_host(mut self) -> Self {
        self.hosts.allow_any();
        self
    }

    /// The path with which requests begin as they come here, such as `/admin/jobs`. Needs not be said where axum's
    /// `nest_service` takes it away.
    pub fn prefix(mut self, path: impl AsRef<str>) -> Self {
        self.mount.set_prefix(path.as_ref());
        self
    }

    /// Believes a proxy that says in `X-Forwarded-Prefix` which path it takes away. Only where every request comes
    /// through a proxy that sets it.
    pub fn trust_proxy(mut self) -> Self {
        self.mount.trusts_proxy = true;
        self
    }

    /// Answers the routes of asynqmon, below `/api`, as asynqmon does: for scripts that were written for it. Rights apply, and
    /// who may only look is refused as by its read-only mode.
    pub fn compat_asynqmon(self) -> Self {
        Self { asynqmon: true, ..self }
    }

    /// How often open pages are brought up to date, at most: every 3 seconds unless told otherwise, and less often while
    /// Redis is slow. Only while somebody looks, and once for all who look at the same page.
    pub fn refresh(self, every: Duration) -> Self {
        Self { refresh: every, ..self }
    }

    /// The service, to nest in an application or to [serve](WebService::serve). Clones are the same Web UI.
    pub fn service(self) -> WebService {
        WebService::new(Shared {
            client: self.client,
            inspector: self.inspector,
            title: self.title,
            anonymous: self.anonymous,
            asynqmon: self.asynqmon,
            hosts: self.hosts,
            mount: self.mount,
            refresh: self.refresh.max(Duration::from_millis(100)),
            bulk: Bulk::default(),
            doctor: Doctor::default(),
            live: Live::default(),
        })
    }
}
