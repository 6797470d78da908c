//! `asynq web`: the Web UI, served.

use std::net::SocketAddr;

use asynq_web::{Reach, Rights, Sampling, WebUi};
use clap::{Args, ValueEnum};

use crate::app::App;
use crate::failure::{Failure, Kind};
use crate::until_told::until_told;

#[derive(Args, Clone, Debug)]
pub(crate) struct Web {
    /// Address and port; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    bind: SocketAddr,
    /// Let everybody who reaches this address do everything, also from other machines: something else keeps strangers away.
    #[arg(long)]
    allow_unauthenticated: bool,
    /// Change nothing.
    #[arg(long)]
    read_only: bool,
    /// A name by which it is asked, beside `localhost` and addresses.
    #[arg(long = "allow-host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The path below which it is served.
    #[arg(long, default_value = "/", value_name = "PATH")]
    prefix: String,
    /// Believe a proxy that says in `X-Forwarded-Prefix` which path it takes away.
    #[arg(long)]
    trust_proxy: bool,
    /// Show charts of this Prometheus too, such as `http://localhost:9090`. It is asked by this program, not by browsers.
    #[arg(long, env = "ASYNQ_PROMETHEUS_URL", hide_env_values = true, value_name = "URL")]
    prometheus: Option<String>,
    /// When queues are sampled for charts: always, every ten seconds, or while somebody looks at one.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    history: When,
    /// What stands beside the name on every page, such as `production`.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    title: String,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum When {
    #[default]
    Always,
    Watched,
}

impl Web {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let mut ui = WebUi::new(&app.client).prefix(&self.prefix).title(self.title);
        if self.read_only {
            ui = ui.rights(Rights::viewer());
        }
        ui = ui.history(match self.history {
            When::Always => Sampling::Always,
            When::Watched => Sampling::WhileWatched,
        });
        if let Some(url) = &self.prometheus {
            ui = ui.prometheus(url).map_err(|error| Failure::usage(error.to_string()))?;
        }
        if self.trust_proxy {
            ui = ui.trust_proxy();
        }
        ui = self.hosts.iter().fold(ui, WebUi::allow_host);
        let reach = if self.allow_unauthenticated { Reach::Anywhere } else { Reach::ThisMachine };
        let path = self.prefix.trim_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        let told = |address| eprintln!("the Web UI is at http://{address}/{path}{slash}; Ctrl-C ends it");
        let served = ui.service().serve(self.bind, reach, told, until_told()).await;
        served.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied if !self.allow_unauthenticated => {
                Failure::new(Kind::Refused, format!("{error}; if that is meant, say --allow-unauthenticated"))
            }
            _ => Failure::new(Kind::Failed, format!("{}: {error}", self.bind)),
        })
    }
}
