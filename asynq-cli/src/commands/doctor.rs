//! `asynq doctor`: what is wrong in Redis, explained and put right.

use asynq_core::inspector::{Class, Diagnosis, Examination, Finding, Repair, Severity, UnknownClass};
use clap::Args;

use super::ask;
use crate::app::App;
use crate::complete;
use crate::failure::{Failure, Kind};
use crate::human;
use crate::output::{Cell, Column, Format, Listing, Printer};

/// What is wrong in Redis: lost tasks, IDs without tasks, stale locks, queues that nobody serves, and more.
#[derive(Args, Clone, Debug)]
pub(crate) struct Doctor {
    /// Only of this queue; may be given several times.
    #[arg(short = 'q', long, value_name = "QUEUE", add = complete::queues())]
    queue: Vec<String>,
    /// Put right what is wrong of this class; may be given several times. `all` is every class that is more than a notice.
    #[arg(long, value_name = "CLASS", value_parser = fix)]
    fix: Vec<Fix>,
    /// With --fix: change nothing; say what it would be.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// With --fix: do not ask.
    #[arg(short = 'y', long, requires = "fix")]
    yes: bool,
    /// Look at nothing; explain all classes.
    #[arg(long, conflicts_with_all = ["fix", "queue"])]
    classes: bool,
}

/// What to put right.
#[derive(Clone, Copy, Debug)]
enum Fix {
    All,
    One(Class),
}

fn fix(text: &str) -> Result<Fix, String> {
    if text == "all" {
        return Ok(Fix::All);
    }
    text.parse().map(Fix::One).map_err(|unknown: UnknownClass| unknown.to_string())
}

impl Fix {
    fn means(self, class: Class) -> bool {
        match self {
            Self::All => class.severity() > Severity::Notice && class.remedy().is_some(),
            Self::One(one) => one == class,
        }
    }
}

const COLUMNS: [Column; 9] = [
    Column::new("class", "Class"),
    Column::new("severity", "Severity"),
    Column::new("queue", "Queue"),
    Column::new("count", "Count"),
    Column::new("sample", "Which"),
    Column::wide("detail", "Of the first"),
    Column::wide("explanation", "What it is"),
    Column::wide("remedy", "What --fix does"),
    Column::wide("advice", "What to do"),
];

impl Doctor {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        if self.classes {
            return classes(app);
        }
        for class in Class::ALL
            .iter()
            .filter(|class| self.fix.iter().any(|fix| matches!(fix, Fix::One(one) if one == *class)))
        {
            if class.remedy().is_none() {
                return Err(Failure::usage(format!(
                    "`{class}` cannot be repaired from here. {}",
                    class.advice()
                )));
            }
        }
        let examination = self.queue.iter().fold(app.inspector.examine(), Examination::queue);
        let diagnosis = examination.await?;
        if self.fix.is_empty() {
            return report(app, &diagnosis);
        }
        self.repair(app, &diagnosis).await
    }

    async fn repair(&self, app: &App, diagnosis: &Diagnosis) -> Result<(), Failure> {
        let mut wanted: Vec<(Class, usize)> = Vec::new();
        for finding in &diagnosis.findings {
            if !self.fix.iter().any(|fix| fix.means(finding.class)) {
                continue;
            }
            match wanted.iter_mut().find(|(class, _)| *class == finding.class) {
                Some((_, count)) => *count += finding.count,
                None => wanted.push((finding.class, finding.count)),
            }
        }
        // In the order in which they are best put right.
        wanted.sort();
        let mut listing = Listing::new(
            &[Column::new("class", "Class"), Column::new("mended", "Put right"), Column::new("left", "Left")],
            "nothing of that is wrong",
        );
        if self.dry_run || wanted.is_empty() {
            for (class, count) in wanted {
                listing.push([Cell::text(class.as_str()), Cell::count(0), Cell::count(count)]);
            }
            return app.printer.listing(&listing);
        }
        if !self.yes {
            for (class, count) in &wanted {
                eprintln!("{class}, {count} found: {}", class.remedy().unwrap_or_default());
            }
            ask::yes("Put that right?")?;
        }
        let mut left = 0;
        for (class, _) in wanted {
            let repair = self.queue.iter().fold(app.inspector.repair(class), Repair::queue);
            let repaired = repair.await?;
            left += repaired.left;
            listing.push([
                Cell::text(class.as_str()),
                Cell::count(repaired.mended),
                Cell::count(repaired.left),
            ]);
        }
        app.printer.listing(&listing)?;
        if left > 0 {
            return Err(Failure::new(
                Kind::Failed,
                format!("{left} had changed meanwhile and were left; look again"),
            ));
        }
        Ok(())
    }
}

fn report(app: &App, diagnosis: &Diagnosis) -> Result<(), Failure> {
    let nothing = format!("nothing is wrong with {} tasks in {} queues", diagnosis.tasks, diagnosis.queues);
    let mut listing = Listing::new(&COLUMNS, nothing);
    for finding in &diagnosis.findings {
        listing.push(cells(finding));
    }
    app.printer.listing(&listing)?;
    if explains(&app.printer) {
        let mut told = Vec::new();
        for finding in &diagnosis.findings {
            if !told.contains(&finding.class) {
                told.push(finding.class);
                app.printer.say(&explained(finding.class, &finding.detail))?;
            }
        }
    }
    let bad = diagnosis.findings.iter().filter(|finding| finding.class.severity() > Severity::Notice).count();
    if bad > 0 {
        let all = diagnosis.findings.len();
        return Err(Failure::new(Kind::Failed, format!("{bad} of {all} findings are more than notices")));
    }
    Ok(())
}

/// Whether people read the table as it is: then each class is explained below it.
fn explains(printer: &Printer) -> bool {
    printer.format == Format::Table && printer.columns.is_empty() && !printer.ids
}

fn cells(finding: &Finding) -> [Cell; 9] {
    let sample = finding.sample.join(", ");
    let more = if finding.count > finding.sample.len() { ", …" } else { "" };
    [
        Cell::text(finding.class.as_str()),
        Cell::text(&finding.class.severity().to_string()),
        finding.queue.as_ref().map_or_else(Cell::none, |queue| Cell::text(queue.as_str())),
        Cell::count(finding.count),
        Cell::new(human::printable(&format!("{sample}{more}")), finding.sample.clone()),
        Cell::text_or_none(&finding.detail),
        Cell::text(finding.class.explanation()),
        finding.class.remedy().map_or_else(Cell::none, Cell::text),
        Cell::text_or_none(finding.class.advice()),
    ]
}

fn explained(class: Class, detail: &str) -> String {
    let mut lines = vec![format!("\n{class}: {}", class.explanation())];
    if !detail.is_empty() {
        lines.push(format!("  Of the first: {}.", human::printable(detail)));
    }
    lines.extend(class.remedy().map(|remedy| format!("  `asynq doctor --fix {class}` {remedy}.")));
    if !class.advice().is_empty() {
        lines.push(format!("  {}", class.advice()));
    }
    lines.join("\n")
}

fn classes(app: &App) -> Result<(), Failure> {
    let columns = [
        Column::new("class", "Class"),
        Column::new("severity", "Severity"),
        Column::new("explanation", "What it is"),
        Column::wide("remedy", "What --fix does"),
        Column::wide("advice", "What to do"),
    ];
    let mut listing = Listing::new(&columns, "");
    for class in Class::ALL {
        listing.push([
            Cell::text(class.as_str()),
            Cell::text(&class.severity().to_string()),
            Cell::text(class.explanation()),
            class.remedy().map_or_else(Cell::none, Cell::text),
            Cell::text_or_none(class.advice()),
        ]);
    }
    app.printer.listing(&listing)
}
