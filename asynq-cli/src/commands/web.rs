//! `asynq web`: the Web UI, served.

use std::net::SocketAddr;

use asynq_core::client::Client;
use asynq_web::{Reach, Rights, WebUi};
use clap::Args;

use crate::failure::{Failure, Kind};
use crate::settings::Settings;
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
    /// Answer the routes of asynqmon's API, below /api, as asynqmon does: for scripts that were written for it.
    #[arg(long)]
    compat_asynqmon: bool,
    /// A name by which it is asked, beside `localhost` and addresses.
    #[arg(long = "allow-host", value_name = "NAME")]
    hosts: Vec<String>,
    /// The path below which it is served.
    #[arg(long, default_value = "/", value_name = "PATH")]
    prefix: String,
    /// Believe a proxy that says in `X-Forwarded-Prefix` which path it takes away.
    #[arg(long)]
    trust_proxy: bool,
    /// What stands beside the name on every page, such as `production`.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    title: String,
}

impl Web {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = Client::connecting(settings.options()?)?;
        let mut ui = WebUi::new(&client).prefix(&self.prefix).title(self.title);
        if self.read_only {
            ui = ui.rights(Rights::viewer());
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
        let (served, ()) = tokio::join!(serving, tell_if_away(&client));
        served.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied if !self.allow_unauthenticated => {
                Failure::new(Kind::Refused, format!("{error}; if that is meant, say --allow-unauthenticated"))
            }
            _ => Failure::new(Kind::Failed, format!("{}: {error}", self.bind)),
        })
    }
}

/// Says so at the start if Redis is away: pages do, and go on when it is back.
async fn tell_if_away(client: &Client) {
    if let Err(error) = client.broker().ping().await {
        eprintln!("error: {error:?}; the Web UI goes on as soon as Redis answers");
    }
}
