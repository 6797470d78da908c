//! `asynq web`: the Web UI, served.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use asynq_core::client::Client;
use asynq_core::inspector::Mask;
use asynq_web::{Accent, Network, Reach, Sampling, Users, WebUi};
use axum::http::HeaderName;
use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use tracing_subscriber::EnvFilter;

use crate::commands::login::Secret;
use crate::failure::{Failure, Kind};
use crate::human;
use crate::settings::{ConfigFile, ConnectionArguments, Settings};
use crate::settings::{web_badge, web_link};
use crate::until_told::until_told;

#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, override_usage = "asynq web [OPTIONS]")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Web {
    #[command(subcommand)]
    secret: Option<Secret>,
    /// Address and port; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    bind: SocketAddr,
    /// Let everybody who reaches this address do everything, also from other machines: something else keeps strangers away.
    #[arg(long)]
    allow_unauthenticated: bool,
    /// Let in who is in this file, and nobody else: people with passwords, programs with tokens, groups of a proxy.
    ///
    /// It is read again when it changes.
    #[arg(long, value_name = "FILE", env = "ASYNQ_WEB_USERS")]
    users: Option<PathBuf>,
    /// Believe a proxy at these addresses, such as `10.0.0.0/8`: who asks, whether over HTTPS, below which path.
    #[arg(long = "trusted-proxy", value_name = "NETWORK")]
    proxies: Vec<Network>,
    /// Believe a trusted proxy that says in this header who has logged in.
    #[arg(long, value_name = "HEADER", requires = "users", requires = "proxies")]
    trust_user_header: Option<HeaderName>,
    /// And in this one in which groups they are, with commas between.
    #[arg(long, value_name = "HEADER", requires = "trust_user_header")]
    trust_groups_header: Option<HeaderName>,
    /// Show dots in place of this field, such as `password` or `card.number`, but to who has the right to see it.
    ///
    /// One name is a field anywhere, and the header; names with dots between begin outermost, and `*` stands for any number
    /// of them. What is no JSON is not shown at all then.
    #[arg(long = "mask", value_name = "FIELD")]
    masks: Vec<Mask>,
    /// How many requests a second one visitor may make, and ten times as many at once; 0 for any number.
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    requests_per_second: u32,
    /// Change nothing, whoever asks.
    #[arg(long)]
    read_only: bool,
    /// Answer the routes of asynqmon's API, below /api, as asynqmon does: for scripts that were written for it.
    #[arg(long)]
    compat_asynqmon: bool,
    /// A name by which it is asked, beside `localhost` and addresses.
    #[arg(long = "allow-host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The path below which it is served.
    #[arg(long, default_value = "/", value_name = "PATH")]
    prefix: String,
    /// Believe whoever connects to be a proxy that says which path it takes away, who asks, and whether over HTTPS.
    #[arg(long)]
    trust_proxy: bool,
    /// Show charts of this Prometheus too, such as `http://localhost:9090`. It is asked by this program, not by browsers.
    #[arg(long, env = "ASYNQ_PROMETHEUS_URL", hide_env_values = true, value_name = "URL")]
    prometheus: Option<String>,
    /// Certificate authorities to trust for an https address of Prometheus, PEM; in place of those of this machine.
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    prometheus_ca: Option<PathBuf>,
    /// When queues are sampled for charts: always, every ten seconds, or while somebody looks at one.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    history: When,
    /// Show all contexts of the configuration file, as with each in a --context; those that are named come first.
    #[arg(long)]
    all_contexts: bool,
    /// What stands beside the name on every page, such as `production`.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    title: String,
    /// Which environment this is, on every page, with its color: `production:red`; also `ASYNQ_WEB_BADGE`, or `web_badge` in
    /// the configuration file, where each context may have its own.
    ///
    /// Colors are red, orange, green, blue, purple and gray.
    #[arg(long, value_name = "TEXT:COLOR", value_parser = web_badge)]
    badge: Option<(String, Accent)>,
    /// A link on the page of each task: `Logs=https://logs.example/?q={id}`, in which `{id}`, `{type}`, `{queue}` and
    /// `{trace}` stand for what the task has; also `ASYNQ_WEB_LINKS`, one on each line, or the list `web_links` in the
    /// configuration file.
    #[arg(long = "task-link", value_name = "LABEL=URL", value_parser = web_link)]
    task_links: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum When {
    #[default]
    Always,
    Watched,
}

impl Web {
    pub(crate) async fn run(mut self, connection: &ConnectionArguments) -> Result<(), Failure> {
        if let Some(secret) = self.secret.take() {
            return secret.run();
        }
        let stores = self.stores(connection)?;
        let (Some(first), others) = (stores.first(), stores.get(1..).unwrap_or_default()) else {
            return Err(Failure::usage(
                "there is no context to show: add [context.NAME] to the configuration file",
            ));
        };
        if self.prometheus.is_some() && !others.is_empty() {
            let reason =
                "--prometheus goes with one store: of several, it could not be told whose queues it knows";
            return Err(Failure::usage(reason));
        }
        let ui = WebUi::new(&first.client).named(first.name()).prefix(&self.prefix);
        let mut ui = first.marked(ui.title(std::mem::take(&mut self.title)), &self)?;
        for store in others {
            ui = store.marked(ui.instance(store.name(), &store.client), &self)?;
        }
        start_log();
        if let Some(path) = self.users {
            ui = ui.users(Users::open(path).map_err(|error| Failure::usage(error.to_string()))?);
        }
        if self.read_only {
            ui = ui.read_only();
        }
        ui = ui.requests_per_second(self.requests_per_second);
        ui = self.masks.into_iter().fold(ui, WebUi::mask);
        ui = self.proxies.into_iter().fold(ui, WebUi::trusted_proxy);
        ui = self.trust_user_header.into_iter().fold(ui, WebUi::trust_user_header);
        ui = self.trust_groups_header.into_iter().fold(ui, WebUi::trust_groups_header);
        ui = ui.history(match self.history {
            When::Always => Sampling::Always,
            When::Watched => Sampling::WhileWatched,
        });
        if let Some(url) = &self.prometheus {
            ui = ui.prometheus(url).map_err(|error| Failure::usage(error.to_string()))?;
        }
        if let Some(path) = &self.prometheus_ca {
            let wrong = |error: &dyn Display| Failure::usage(format!("{}: {error}", path.display()));
            let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
            ui = ui.prometheus_authorities(pem).map_err(|error| wrong(&error))?;
        }
        if self.compat_asynqmon {
            ui = ui.compat_asynqmon();
        }
        if self.trust_proxy {
            ui = ui.trust_proxy();
        }
        ui = self.hosts.iter().fold(ui, WebUi::allow_host);
        let reach = if self.allow_unauthenticated { Reach::Anywhere } else { Reach::ThisMachine };
        let path = self.prefix.trim_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        let told = |address| eprintln!("the Web UI is at http://{address}/{path}{slash}; Ctrl-C ends it");
        let serving = ui.service().serve(self.bind, reach, told, until_told());
        let (served, ()) = tokio::join!(serving, tell_if_away(&stores));
        served.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied if !self.allow_unauthenticated => {
                Failure::new(Kind::Refused, format!("{error}; let people log in with --users, or if that is meant, say --allow-unauthenticated"))
            }
            _ => Failure::new(Kind::Failed, format!("{}: {error}", self.bind)),
        })
    }
}

impl Web {
    /// The stores to show: contexts that are named, or all, or the one that is used.
    fn stores(&self, connection: &ConnectionArguments) -> Result<Vec<Store>, Failure> {
        let mut names = connection.contexts.clone();
        if self.all_contexts {
            let file = connection.file().map(|path| ConfigFile::read(&path)).transpose()?;
            let file =
                file.ok_or_else(|| Failure::usage("--all-contexts: no configuration file was found"))?;
            names.extend(file.contexts.into_keys());
        }
        let mut known = BTreeSet::new();
        names.retain(|name| known.insert(name.clone()));
        let each = match names.as_slice() {
            [] if self.all_contexts => Vec::new(),
            [] => vec![Settings::gather(connection)?],
            [one] => vec![Settings::gather_in(connection, Some(one))?],
            several => Settings::gather_each(connection, several)?,
        };
        let store =
            |settings: Settings| Ok(Store { client: Client::connecting(settings.options()?)?, settings });
        each.into_iter().map(store).collect()
    }
}

/// A store to show, and what is said of it.
struct Store {
    client: Client,
    settings: Settings,
}

impl Store {
    /// Its context, where it has one.
    fn name(&self) -> &str {
        self.settings.context.as_deref().unwrap_or_default()
    }

    /// With the badge and the links that the command line says, or its own.
    fn marked(&self, mut ui: WebUi, said: &Web) -> Result<WebUi, Failure> {
        let badge = match &said.badge {
            Some(badge) => Some(badge.clone()),
            None => self.settings.web_badge()?,
        };
        if let Some((text, accent)) = badge {
            ui = ui.badge(text, accent);
        }
        let links =
            if said.task_links.is_empty() { self.settings.web_links()? } else { said.task_links.clone() };
        for (label, address) in links {
            ui = ui.task_link(label, address).map_err(|error| Failure::usage(error.to_string()))?;
        }
        Ok(ui)
    }
}

/// What is worth knowing goes to standard error, every change above all; `RUST_LOG` says otherwise.
fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,asynq_web=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Says so at the start if Redis is away: pages do, and go on when it is back.
async fn tell_if_away(stores: &[Store]) {
    let told = stores.iter().map(async |store| {
        if let Err(error) = store.client.broker().ping().await {
            let which = if stores.len() > 1 {
                format!("{}: ", human::printable(store.name()))
            } else {
                String::new()
            };
            eprintln!("error: {which}{error:?}; the Web UI goes on as soon as Redis answers");
        }
    });
    join_all(told).await;
}
