//! What a shell is told when it asks how a line goes on: names as they are in Redis at that moment.
//!
//! It must be quick and may never complain: where Redis is away, or slow, there are no suggestions.

use std::ffi::OsStr;
use std::time::Duration;

use asynq_core::Result;
use asynq_core::client::Client;
use asynq_core::inspector::{Inspector, Selection};
use asynq_core::scheduler::StoredSchedules;
use asynq_core::task::TaskState;
use clap::{CommandFactory, FromArgMatches};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::arguments::Arguments;
use crate::settings::{ConfigFile, ConnectionArguments, Settings};

/// How long a shell waits for names.
const LIMIT: Duration = Duration::from_millis(500);

/// How many tasks are looked at for their types.
const LOOKED_AT: usize = 1_000;

/// Names of queues.
pub(crate) fn queues() -> ArgValueCompleter {
    live(async |client| Ok(Inspector::new(&client).queues().await?.iter().map(ToString::to_string).collect()))
}

/// Types of tasks, those of the first tasks that are met.
pub(crate) fn types() -> ArgValueCompleter {
    live(async |client| {
        let mut found = Inspector::new(&client).find(Selection::new().limit(LOOKED_AT)).await?;
        let mut types = Vec::new();
        while let Some(task) = found.next().await {
            types.push(task?.task_type.to_string());
        }
        Ok(types)
    })
}

/// IDs of servers.
pub(crate) fn servers() -> ArgValueCompleter {
    live(async |client| {
        Ok(Inspector::new(&client).servers().await?.into_iter().map(|server| server.id).collect())
    })
}

/// IDs of schedules, and names of stored ones.
pub(crate) fn entries() -> ArgValueCompleter {
    live(async |client| {
        let known = StoredSchedules::new(&client).known().await?.schedules;
        let names = known.iter().filter_map(|schedule| schedule.name().map(str::to_owned));
        Ok(names.chain(known.iter().map(|schedule| schedule.entry.id.clone())).collect())
    })
}

/// Names of stored schedules, also of those that cannot be read.
pub(crate) fn schedules() -> ArgValueCompleter {
    live(async |client| {
        let found = StoredSchedules::new(&client).list().await?;
        let names = found.schedules.iter().map(|schedule| schedule.name().to_owned());
        Ok(names.chain(found.unreadable.into_iter().map(|bad| bad.name)).collect())
    })
}

/// States of tasks.
pub(crate) fn states() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        fitting(TaskState::ALL.map(|state| state.as_str().to_owned()), current)
    })
}

/// Contexts of the configuration file.
pub(crate) fn contexts() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let file = typed().and_then(|typed| typed.file()).and_then(|path| ConfigFile::read(&path).ok());
        fitting(file.into_iter().flat_map(|file| file.contexts.into_keys()), current)
    })
}

fn live(
    names: impl AsyncFn(Client) -> Result<Vec<String>> + Clone + Send + Sync + 'static,
) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let Some(settings) = typed().and_then(|typed| Settings::gather(&typed).ok()) else {
            return Vec::new();
        };
        // Nobody is there to give a password in the middle of a line.
        let options = if settings.asks() { None } else { settings.options().ok() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok();
        let (Some(options), Some(runtime)) = (options, runtime) else { return Vec::new() };
        let asked = runtime.block_on(async {
            let asked = async { names(Client::connect_with(options).await?).await };
            tokio::time::timeout(LIMIT, asked).await
        });
        fitting(asked.ok().and_then(Result::ok).unwrap_or_default(), current)
    })
}

/// Names that go on from what is typed, each once.
fn fitting(names: impl IntoIterator<Item = String>, current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    let mut names: Vec<String> = names.into_iter().filter(|name| name.starts_with(&*begun)).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// What the line says so far about where Redis is.
fn typed() -> Option<ConnectionArguments> {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let matches = Arguments::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    ConnectionArguments::from_arg_matches(&matches).ok()
}
