//! `asynq export` and `asynq import`: tasks as lines of JSON, and back.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use asynq_core::inspector::{Filter, ImportError, OnConflict, Selection};
use asynq_core::task::{QueueName, TaskState};
use clap::{Args, ValueEnum};

use crate::app::App;
use crate::complete;
use crate::failure::{Failure, Kind};
use crate::lines::Lines;
use crate::output::{Cell, Record};

/// How many tasks pass between two words about it.
const OFTEN: usize = 500;

/// Writes tasks as lines of JSON, with all that is stored of them, for `asynq import`.
///
/// Each task is as it stands at one moment, but not all at the same: of a system that works meanwhile, a task that goes
/// from one state to another may be missed, or come twice. Pause the queues first where that matters. Tasks that an
/// aggregator has in hand, counters, pauses and schedules are not exported.
#[derive(Args, Clone, Debug)]
pub(crate) struct Export {
    /// Only of this queue; may be given several times.
    #[arg(short = 'q', long, value_name = "QUEUE", add = complete::queues())]
    queue: Vec<String>,
    /// Only in this state; may be given several times.
    #[arg(short = 's', long, value_name = "STATE", add = complete::states())]
    state: Vec<TaskState>,
    /// Only tasks that fit: `type:email:* age:>2h`.
    #[arg(long, default_value = "", hide_default_value = true)]
    filter: Filter,
    /// Write to this file, which must not exist, in place of stdout.
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Export {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let selection = self.queue.iter().fold(Selection::new().filter(self.filter), Selection::queue);
        let selection = self.state.into_iter().fold(selection, Selection::state);
        let mut export = app.inspector.export(selection).await?;
        let mut out: Box<dyn Write + Send> = match &self.file {
            None => Box::new(stdout()),
            Some(path) => Box::new(
                File::create_new(path)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?,
            ),
        };
        let mut out = BufWriter::new(&mut out);
        let mut progress = Progress::new(self.file.is_some() || !stdout().is_terminal());
        while let Some(line) = export.next().await {
            writeln!(out, "{}", line?)?;
            progress.tell(export.tasks(), "exported");
            if app.stop.load(Ordering::Relaxed) {
                out.flush()?;
                progress.end(export.tasks(), "exported");
                let what = format!("stopped after {} tasks; the export lacks its last line", export.tasks());
                return Err(Failure::new(Kind::Interrupted, what));
            }
        }
        out.flush()?;
        progress.end(export.tasks(), "exported");
        if self.file.is_some() {
            eprintln!("{} tasks exported", export.tasks());
        }
        match export.unreadable() {
            0 => Ok(()),
            count => Err(Failure::new(
                Kind::Failed,
                format!("{count} tasks cannot be read and were not exported; `asynq doctor` tells which"),
            )),
        }
    }
}

/// What becomes of a task whose ID is there already, or whose lock another task holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Conflict {
    /// It ends the import.
    #[default]
    Fail,
    /// It is left out.
    Skip,
    /// It takes the place of the one that is there, unless that is being run.
    Replace,
}

/// Stores the tasks of an export, each in its state and with its times.
///
/// A task that was being run becomes pending. Locks last until the same moment as they would have. Each task is stored
/// whole or not at all; an import that was stopped can be made again with `--on-conflict skip`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Import {
    /// The exports; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What becomes of a task whose ID is there already, or whose lock another task holds.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    on_conflict: Conflict,
    /// All tasks into this queue.
    #[arg(long, value_name = "QUEUE", conflicts_with = "queue_prefix")]
    to: Option<QueueName>,
    /// Each into a queue whose name begins with this, and goes on as it did.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    queue_prefix: String,
    /// Store nothing; say how many it would be.
    #[arg(long)]
    dry_run: bool,
}

/// How many tasks an import stored, and left out.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    stored: usize,
    skipped: usize,
}

impl Import {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        // Before anything is stored.
        for path in self.files.iter().filter(|path| *path != Path::new("-")) {
            File::open(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        }
        let mut counts = Counts::default();
        let mut result = Ok(());
        for path in &self.files {
            result = self.file(app, path, &mut counts).await;
            if result.is_err() {
                break;
            }
        }
        let Counts { stored, skipped } = counts;
        let would = if self.dry_run { "would be " } else { "" };
        let record = Record::new()
            .field("dry_run", "Dry run", Cell::flag(self.dry_run))
            .field("imported", "Imported", Cell::count(stored))
            .field("skipped", "Skipped", Cell::count(skipped));
        app.printer.outcome(&format!("{stored} tasks {would}imported, {skipped} skipped"), &record)?;
        result
    }

    async fn file(&self, app: &App, path: &Path, counts: &mut Counts) -> Result<(), Failure> {
        let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
        let mut lines = Lines::of(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        let mut import = app.inspector.import(match self.on_conflict {
            Conflict::Fail => OnConflict::Fail,
            Conflict::Skip => OnConflict::Skip,
            Conflict::Replace => OnConflict::Replace,
        });
        import = import.queue_prefix(&self.queue_prefix);
        import = self.to.iter().fold(import, |import, queue| import.into_queue(queue.clone()));
        if self.dry_run {
            import = import.dry_run();
        }
        let mut progress = Progress::new(app.printer.format.is_table());
        let at = |error: ImportError| of_line(&name, error);
        loop {
            let few = lines.next_few(&app.stop).await;
            let few = few.map_err(|error| Failure::new(Kind::Failed, format!("{name}: {error}")))?;
            if few.is_empty() {
                break;
            }
            let imported = import.lines(few).await;
            counts.stored += imported.stored;
            counts.skipped += imported.skipped;
            imported.error.map_or(Ok(()), |error| Err(at(error)))?;
            progress.tell(counts.stored + counts.skipped, "read");
        }
        progress.end(counts.stored + counts.skipped, "read");
        if app.stop.load(Ordering::Relaxed) {
            let what = "stopped; what was stored stays, and `--on-conflict skip` goes on behind it";
            return Err(Failure::new(Kind::Interrupted, what));
        }
        import.end().map_err(at)
    }
}

/// What was wrong with a line: file, line, column.
fn of_line(name: &str, error: ImportError) -> Failure {
    let place = format!("{name}: {error}");
    match error {
        ImportError::Refused { source, .. } => {
            let cause = Failure::from(source);
            Failure::new(cause.kind(), format!("{place}: {}", cause.message()))
        }
        _ => Failure::new(Kind::Failed, place),
    }
}

/// How far it is, on a terminal.
struct Progress {
    wanted: bool,
    /// How many tasks there were when it was told last.
    told: usize,
}

impl Progress {
    fn new(wanted: bool) -> Self {
        Self { wanted: wanted && stderr().is_terminal(), told: 0 }
    }

    fn tell(&mut self, tasks: usize, done: &str) {
        if self.wanted && tasks >= self.told + OFTEN {
            self.told = tasks;
            eprint!("\r{tasks} tasks {done}");
        }
    }

    fn end(&self, tasks: usize, done: &str) {
        if self.wanted && tasks >= OFTEN {
            eprintln!("\r{tasks} tasks {done}");
        }
    }
}
