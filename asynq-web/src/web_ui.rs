//! [`WebUi`]: how the Web UI is set up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use asynq_core::client::{AsClient, Client};
use asynq_core::inspector::{Inspector, Mask};
use axum::http::HeaderName;

use crate::badge::{Accent, Badge};
use crate::bulk::Bulk;
use crate::changing::Changing;
use crate::doctor::Doctor;
use crate::formats::{Content, Formats};
use crate::gate::{Hosts, Mount, Network, Pace, Proxies, REQUESTS};
use crate::history::{History, Sampling};
use crate::instances::Instances;
use crate::live::Live;
use crate::login::{Door, Users, Vouched};
use crate::prometheus::{Prometheus, PrometheusError};
use crate::rights::{Right, Rights};
use crate::service::WebService;
use crate::shared::Shared;
use crate::tallies::Tallies;
use crate::task_links::{InvalidTaskLink, TaskLinks};

/// How often pages are brought up to date unless told otherwise.
const DEFAULT_REFRESH: Duration = Duration::from_secs(3);

/// The Web UI and its JSON API, before it is a [service](Self::service).
///
/// Without any more words it may be asked by `localhost` and by address, lets everybody who reaches it do everything,
/// and logs nobody in: reach is what protects it. With [`users`](Self::users) of its own it logs people in. In an
/// application that has a login, put a [`Visitor`](crate::Visitor) into each request and say
/// [`logins_only`](Self::logins_only).
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
    first: Store,
    others: Vec<Store>,
    title: String,
    anonymous: Option<Rights>,
    users: Option<Users>,
    vouched: Vouched,
    masks: Vec<Mask>,
    formats: Formats,
    read_only: bool,
    proxies: Proxies,
    requests: u32,
    asynqmon: bool,
    hosts: Hosts,
    mount: Mount,
    refresh: Duration,
    sampling: Sampling,
}

/// A store, and what is said of it alone.
#[derive(Clone, Debug)]
struct Store {
    name: Arc<str>,
    client: Client,
    inspector: Inspector,
    prometheus: Option<Prometheus>,
    badge: Option<Badge>,
    task_links: TaskLinks,
}

impl Store {
    fn new(name: &str, client: &(impl AsClient + ?Sized)) -> Self {
        let inspector = Inspector::new(client);
        Self {
            name: name.into(),
            client: client.as_client().clone(),
            inspector,
            prometheus: None,
            badge: None,
            task_links: TaskLinks::default(),
        }
    }
}

impl WebUi {
    /// A Web UI on what this client's broker stores.
    pub fn new(client: &(impl AsClient + ?Sized)) -> Self {
        Self {
            first: Store::new("", client),
            others: Vec::new(),
            title: String::new(),
            anonymous: Some(Rights::admin().without(Right::ViewSecrets)),
            users: None,
            vouched: Vouched::default(),
            masks: Vec::new(),
            formats: Formats::default(),
            read_only: false,
            proxies: Proxies::default(),
            requests: REQUESTS,
            asynqmon: false,
            hosts: Hosts::default(),
            mount: Mount::default(),
            refresh: DEFAULT_REFRESH,
            sampling: Sampling::default(),
        }
    }

    /// Shows another store too, by this name of any characters. What is said afterwards of [`inspector`](Self::inspector) and
    /// [`prometheus`](Self::prometheus), [`badge`](Self::badge) and [`task_link`](Self::task_link) are said of this one;
    /// login, masks and limits are the same for all.
    ///
    /// Each store is then below `/i/` and its name, nothing there but the list of instances leads to another, and whoever
    /// may see some alone has [rights](Rights::in_instances) in those. One that is away does not keep the others waiting.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_web::WebUi;
    ///
    /// let (production, staging) = (Client::in_memory(), Client::in_memory());
    /// let ui = WebUi::new(&production).named("production").instance("staging", &staging).service();
    /// ```
    pub fn instance(mut self, name: impl AsRef<str>, client: &(impl AsClient + ?Sized)) -> Self {
        self.others.push(Store::new(name.as_ref(), client));
        self
    }

    /// The name of the store that this was [made](Self::new) with: `default` beside [others](Self::instance) unless told
    /// otherwise, and none where it is the only one.
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.first.name = name.into();
        self
    }

    /// Looks, and archives, through this inspector: one that has the [limits](Inspector::archive_limits) of the servers.
    pub fn inspector(mut self, inspector: Inspector) -> Self {
        self.latest().inspector = inspector;
        self
    }

    /// The store that was named last.
    fn latest(&mut self) -> &mut Store {
        self.others.last_mut().unwrap_or(&mut self.first)
    }

    /// What stands beside the name on every page, such as `production`.
    pub fn title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// Which environment this is, such as `production`, in this color: in the bar and the title of every page, so that nobody
    /// takes it for another.
    pub fn badge(mut self, text: impl Into<String>, accent: Accent) -> Self {
        self.latest().badge = Some(Badge { text: text.into(), accent });
        self
    }

    /// What somebody may do of whom nothing is known: [everything](Rights::admin) but see what is masked, unless told
    /// otherwise. Said after [`users`](Self::users), it lets those look who have not logged in.
    pub fn rights(self, rights: Rights) -> Self {
        Self { anonymous: Some(rights), ..self }
    }

    /// Refuses whoever comes without a [`Visitor`](crate::Visitor): the application must put one into the extensions of
    /// each request.
    pub fn logins_only(self) -> Self {
        Self { anonymous: None, ..self }
    }

    /// Logs people in, and programs by their tokens: whoever is none of these users stays out.
    ///
    /// Sessions are kept in the memory of this process, so they end with it. Who changed what is told to `tracing` with the
    /// target `asynq_web::audit`, and kept where the tasks are (on Redis from 5.0 on), the last 10,000 times.
    pub fn users(self, users: Users) -> Self {
        Self { users: Some(users), anonymous: None, ..self }
    }

    /// Lets nobody change anything, whatever rights they have.
    pub fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// Shows dots in place of these fields of payloads, results and headers, but to who has the right
    /// [`ViewSecrets`](crate::Right::ViewSecrets): on pages, in the API, in what is downloaded. They cannot be searched
    /// for, either. JSON within texts is looked into, in those of errors too, and so are payloads that are marked as
    /// MessagePack or CBOR. A payload or result that is none of these is not shown at all then, for nobody can tell what is
    /// in it.
    ///
    /// Shown are texts of errors and headers where they have no JSON in them (`password=x`, JSON that is cut off), and what
    /// is encoded once more, as base64 in a field of another name.
    pub fn mask(mut self, mask: Mask) -> Self {
        self.masks.push(mask);
        self
    }

    /// Adds a form in which payloads and results are shown, beside JSON, text, MessagePack, CBOR, protobuf, hex and base64:
    /// for messages whose descriptor the application has, or what only it can decrypt. It gives a text, which is laid out
    /// where it is JSON, or `None` where it can make nothing of a content; it comes before those that are there, and takes
    /// the place of one of the same name. It is asked whenever the page of a task is made, so it should be quick.
    ///
    /// What is [masked](Self::mask) is hidden in the JSON that it gives; any other text is not shown then.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_web::WebUi;
    ///
    /// let ui = WebUi::new(&Client::in_memory()).payload_format("reversed", |content| {
    ///     let is_ours = content.task.task_type.as_str() == "reversed" && !content.is_result;
    ///     is_ours.then(|| String::from_utf8_lossy(content.bytes).chars().rev().collect())
    /// });
    /// ```
    pub fn payload_format(
        mut self,
        name: impl AsRef<str>,
        format: impl Fn(&Content<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.formats.add(name.as_ref().into(), format);
        self
    }

    /// Adds a link to the page of each task, to where else something is known of it: `{id}`, `{type}`, `{queue}` and
    /// `{trace}` stand for what it has, percent-encoded. A task without a trace (the header `traceparent` of W3C Trace
    /// Context) has no link that needs it.
    ///
    /// # Errors
    ///
    /// When the label is blank, or the template no address of `https` or `http`, or something else stands in braces.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_web::WebUi;
    ///
    /// let ui = WebUi::new(&Client::in_memory())
    ///     .task_link("Logs", "https://logs.example/?q={id}&type={type}")?
    ///     .task_link("Trace", "https://traces.example/trace/{trace}")?;
    /// # Ok::<(), asynq_web::InvalidTaskLink>(())
    /// ```
    pub fn task_link(
        mut self,
        label: impl AsRef<str>,
        template: impl AsRef<str>,
    ) -> Result<Self, InvalidTaskLink> {
        self.latest().task_links.add(label.as_ref(), template.as_ref())?;
        Ok(self)
    }

    /// Believes a proxy at one of these addresses: in `X-Forwarded-For` who asks, in `X-Forwarded-Proto` whether over
    /// HTTPS, in `X-Forwarded-Prefix` which path it takes away, and who has logged in where
    /// [`trust_user_header`](Self::trust_user_header) says so.
    ///
    /// Addresses are known where this [serves](WebService::serve) by itself, and in an application that is made into a
    /// service by axum's `into_make_service_with_connect_info`.
    pub fn trusted_proxy(mut self, network: Network) -> Self {
        self.proxies.networks.push(network);
        self
    }

    /// Believes a [trusted proxy](Self::trusted_proxy), and no one else, that says in this header who has logged in. What
    /// they may do is what the [`users`](Self::users) say of that name, or of a group of theirs; others are refused, and
    /// so is the header from anybody else.
    ///
    /// The proxy must remove the header from what it is sent.
    pub fn trust_user_header(mut self, header: HeaderName) -> Self {
        self.vouched.user = Some(header);
        self
    }

    /// Likewise, in which groups they are: names with commas between.
    pub fn trust_groups_header(mut self, header: HeaderName) -> Self {
        self.vouched.groups = Some(header);
        self
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

    /// Believes whoever connects to be a proxy that says in `X-Forwarded-Prefix` which path it takes away, in
    /// `X-Forwarded-For` who asks and in `X-Forwarded-Proto` whether over HTTPS. Only where every request comes through a
    /// proxy that sets them; see also [`trusted_proxy`](Self::trusted_proxy).
    pub fn trust_proxy(mut self) -> Self {
        self.proxies.any = true;
        self
    }

    /// How many requests a second each visitor may make, or each address of those who have no name: 50 unless told
    /// otherwise, and ten times as many at once; 0 for any number.
    pub fn requests_per_second(self, most: u32) -> Self {
        Self { requests: most, ..self }
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

    /// When samples are taken for charts: [while somebody looks](Sampling::WhileWatched) unless told otherwise.
    ///
    /// A sample is what [`Inspector::queue_counts`] and [`Inspector::run_times`] read, every ten seconds, and less often
    /// where that takes long: at most a twentieth of the time. They are kept in memory, ten seconds for six hours and a
    /// minute for two days: of the 40 busiest queues one by one, of the others only as a part of the sum. That takes 10 MB
    /// at most, and as much again for the run times of 50 queues and types.
    pub fn history(self, sampling: Sampling) -> Self {
        Self { sampling, ..self }
    }

    /// Shows charts of this Prometheus too, such as `http://localhost:9090`; `https` needs the feature `rustls`. It is
    /// asked by this process: no browser learns where it is.
    ///
    /// # Errors
    ///
    /// When that is no address of a server.
    pub fn prometheus(mut self, url: impl AsRef<str>) -> Result<Self, PrometheusError> {
        self.latest().prometheus = Some(Prometheus::new(url.as_ref())?);
        Ok(self)
    }

    /// Accepts what these certificate authorities, in PEM, have signed for [`prometheus`](Self::prometheus), in place of those
    /// that this machine trusts. Said after it.
    ///
    /// # Errors
    ///
    /// When that is no certificate, or there is no Prometheus at an `https` address.
    pub fn prometheus_authorities(mut self, pem: impl AsRef<[u8]>) -> Result<Self, PrometheusError> {
        let store = self.latest();
        let prometheus = store.prometheus.take().ok_or_else(Prometheus::missing)?;
        store.prometheus = Some(prometheus.trusting(pem.as_ref())?);
        Ok(self)
    }

    /// The service, to nest in an application or to [serve](WebService::serve). Clones are the same Web UI.
    ///
    /// Of several stores with one name only the first is shown, and the log says so.
    pub fn service(mut self) -> WebService {
        let mut others = std::mem::take(&mut self.others);
        if !others.is_empty() && self.first.name.is_empty() {
            self.first.name = "default".into();
        }
        let mut names = BTreeSet::from([Arc::clone(&self.first.name)]);
        others.retain(|store| {
            let is_new = names.insert(Arc::clone(&store.name));
            if !is_new {
                tracing::warn!(instance = &*store.name, "two stores have this name: the second is not shown");
            }
            is_new
        });
        let door = self.users.take().map(|users| Arc::new(Door::new(users, self.vouched.clone())));
        let pace = Pace::new(self.requests);
        let others = others
            .into_iter()
            .map(|store| Arc::new(self.shared(store, door.clone(), pace.of_another())))
            .collect();
        let first = self.shared(self.first.clone(), door, pace);
        WebService::new(Instances::new(Arc::new(first), others))
    }

    /// What all requests to a store share.
    fn shared(&self, store: Store, door: Option<Arc<Door>>, pace: Pace) -> Shared {
        Shared {
            name: store.name,
            client: store.client,
            inspector: store.inspector,
            title: self.title.clone(),
            badge: store.badge,
            anonymous: self.anonymous.clone(),
            door,
            masks: self.masks.iter().cloned().collect(),
            formats: self.formats.clone(),
            task_links: store.task_links,
            read_only: self.read_only,
            proxies: self.proxies.clone(),
            pace,
            asynqmon: self.asynqmon,
            hosts: self.hosts.clone(),
            mount: self.mount.clone(),
            refresh: self.refresh.max(Duration::from_millis(100)),
            bulk: Bulk::default(),
            changing: Changing::default(),
            history: History::new(self.sampling),
            tallies: Tallies::default(),
            prometheus: store.prometheus,
            doctor: Doctor::default(),
            live: Live::default(),
        }
    }
}
