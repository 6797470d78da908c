//! `asynq exporter`: answers Prometheus.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use asynq_metrics::CONTENT_TYPE;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName};
use axum::response::Html;
use axum::routing::get;
use clap::Args;
use tokio::net::TcpListener;

use crate::failure::{Failure, Kind};
use crate::human;
use crate::settings::Settings;
use crate::until_told::until_told;

/// What a browser is shown, and whoever looks for the way.
const START: &str = "<!doctype html><meta charset=utf-8><title>asynq exporter</title>\
    <h1>asynq exporter</h1><p><a href=\"metrics\">Metrics</a> of queues, servers and schedules, for Prometheus.";

/// Answers Prometheus: metrics of queues, servers and schedules, over HTTP, until it is told to end.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Metrics are at /metrics. Redis is looked at when somebody asks, once for all who do, and need not \
                        be there at the start: then `asynq_x_up` is 0. Nobody logs in, so think before you bind to \
                        more than this machine."
)]
pub(crate) struct Exporter {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 9876, value_name = "PORT")]
    port: u16,
    /// Address to listen on: `0.0.0.0` or `::` for all that this machine has.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    bind: IpAddr,
    /// Tell how much memory queues take, from a sample; this costs Redis more than all the rest.
    #[arg(long)]
    memory: bool,
    /// Tell when each entry of a schedule fired last.
    #[arg(long)]
    entries: bool,
    /// For how long an answer is given again; at least 5s.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = human::duration)]
    max_age: Duration,
    /// How long a look at Redis may take.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = human::duration)]
    scrape_timeout: Duration,
}

/// What the answers are made of.
#[derive(Clone, Debug)]
struct Page {
    exporter: asynq_metrics::Exporter,
    /// What was last said to be wrong.
    told: Arc<Mutex<Option<Arc<str>>>>,
}

impl Exporter {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let exporter = asynq_metrics::Exporter::connecting(settings.options()?)
            .max_age(self.max_age)
            .timeout(self.scrape_timeout)
            .memory(self.memory)
            .entries(self.entries);
        let page = Page { exporter, told: Arc::default() };
        let routes = Router::new()
            .route("/", get(Html(START)))
            .route("/metrics", get(metrics))
            .route("/healthz", get(StatusCode::OK))
            .with_state(page);
        let listener = TcpListener::bind((self.bind, self.port)).await;
        let listener = listener.map_err(|error| {
            Failure::new(
                Kind::Failed,
                format_args!("cannot listen on {}, port {}: {error}", self.bind, self.port),
            )
        })?;
        eprintln!("metrics are at http://{}/metrics", listener.local_addr()?);
        Ok(axum::serve(listener, routes).with_graceful_shutdown(until_told()).await?)
    }
}

async fn metrics(State(page): State<Page>) -> ([(HeaderName, &'static str); 1], String) {
    let scrape = page.exporter.scrape().await;
    page.tell(scrape.error.as_ref());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], asynq_metrics::text(&scrape.families))
}

impl Page {
    /// Says on stderr what is wrong, once, and when it is right again.
    fn tell(&self, error: Option<&Arc<str>>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() == error {
            return;
        }
        match error {
            Some(error) => eprintln!("error: {error}"),
            None => eprintln!("Redis answers again"),
        }
        *told = error.cloned();
    }
}
