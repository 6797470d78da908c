//! [`App`]: what every command needs: the connection, the printer, and to be told when to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asynq_core::client::Client;
use asynq_core::inspector::Inspector;
use jiff::Timestamp;

use crate::arguments::Arguments;
use crate::commands;
use crate::failure::{Failure, Kind};
use crate::output::Printer;
use crate::settings::Settings;
use crate::until_told::until_told;

/// How long a command that was interrupted may take to say how far it came.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What every command needs.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) client: Client,
    pub(crate) inspector: Inspector,
    pub(crate) printer: Printer,
    /// Set by Ctrl-C: commands that change many tasks end after those in hand, and say how many there were.
    pub(crate) stop: Arc<AtomicBool>,
}

impl App {
    /// Runs the command that was given.
    pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            let stop = Arc::new(AtomicBool::new(false));
            let reports = arguments.command.reports_when_stopped();
            let serves = arguments.command.serves();
            let run = commands::run(arguments, Arc::clone(&stop));
            if serves {
                return run.await;
            }
            tokio::pin!(run);
            tokio::select! {
                ended = &mut run => return ended,
                () = until_told() => {}
            }
            stop.store(true, Ordering::Relaxed);
            let interrupted = Failure::new(Kind::Interrupted, "interrupted");
            if !reports {
                return Err(interrupted);
            }
            match tokio::time::timeout(LAST_WORDS, run).await {
                Ok(Err(failure)) => Err(failure),
                Ok(Ok(())) | Err(_) => Err(interrupted),
            }
        })
    }

    /// Connects to where the settings say.
    pub(crate) async fn connect(
        settings: &Settings,
        printer: Printer,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let client = Client::connect_with(settings.options()?).await?;
        Ok(Self { inspector: Inspector::new(&client), client, printer, stop })
    }

    /// This machine's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.client.broker().clock().now()
    }
}
