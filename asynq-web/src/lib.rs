//! The Web UI of asynq and its JSON API: a tower service to nest in an application, or to serve by itself.
//!
//! ```text
//! web_ui.rs (WebUi: how it is set up) ─► service.rs (WebService) ─► gate/ (who may come in) ─► instances.rs (to which store)
//!                                                                     ┌── routes.rs ◄────────────────────────┘
//!                                                                     ├─► pages/ (HTML, forms that need no scripts)
//! visit.rs (who asks, with which rights) ◄─ login/ (passwords, tokens) ┼─► api/ (JSON)
//!    ├─► Inspector, Client of asynq-core                              └─► live.rs (open pages are kept up to date)
//!    └─► history/ (samples for charts), prometheus/ (charts from there)
//! ```
//!
//! Pages are whole without scripts: every action is a form. What scripts add is in `assets/page.js`.
//!
//! # Examples
//!
//! By itself, on this machine alone:
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use asynq_core::client::Client;
//! use asynq_web::{Reach, WebUi};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let client = Client::in_memory();
//! let address = SocketAddr::from(([127, 0, 0, 1], 0));
//! let shutdown = async { /* until somebody presses Ctrl-C */ };
//! let told = |address| println!("http://{address}/");
//! WebUi::new(&client).title("staging").service().serve(address, Reach::ThisMachine, told, shutdown).await
//! # }
//! ```
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

mod actions;
mod api;
mod assets;
mod asynqmon;
mod audit;
mod background;
mod badge;
mod bulk;
mod changing;
mod cluster;
mod doctor;
mod fields;
mod formats;
mod gate;
mod health;
mod history;
mod instances;
mod links;
mod live;
mod login;
mod measure;
mod pages;
mod place;
mod preferences;
mod problem;
mod prometheus;
mod rights;
mod routes;
mod saved_views;
mod schedules;
mod service;
mod shared;
mod tallies;
mod task_links;
mod visit;
mod warnings;
mod web_ui;

pub use badge::{Accent, UnknownAccent};
pub use formats::Content;
pub use gate::{InvalidNetwork, Network};
pub use history::Sampling;
pub use login::{Token, Users, UsersError, hash_password};
pub use place::Place;
pub use prometheus::PrometheusError;
pub use rights::{Right, Rights, Visitor};
pub use service::{Reach, WebService};
pub use task_links::InvalidTaskLink;
pub use web_ui::WebUi;

/// The guide's page of the Web UI, so that its code is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide/web.md")]
mod guide {}
