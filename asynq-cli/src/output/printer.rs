//! [`Printer`]: writes listings and records in the format that was asked for.

use std::io::{IsTerminal, Write, stdout};

use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, ContentArrangement, Row, Table};
use serde::Serialize;
use serde_json::Value;

use super::{Listing, Record, Sink};
use crate::failure::Failure;

/// How data is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people, cut to the width of the terminal.
    #[default]
    Table,
    /// The same with more columns, and uncut.
    Wide,
    /// One JSON document.
    Json,
    /// One JSON object in each line.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// YAML.
    Yaml,
}

impl Format {
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }

    /// Whether people read it.
    pub(crate) fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

/// Whether to use colors and bold type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Writes listings and records in the format that was asked for.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Printer {
    pub(crate) format: Format,
    /// Only these columns.
    pub(crate) columns: Vec<String>,
    pub(crate) headings: bool,
    /// Only the first column, without a heading.
    pub(crate) ids: bool,
    /// Cells are not cut to the width of the terminal.
    pub(crate) full: bool,
    pub(crate) bold: bool,
    pub(crate) sink: Sink,
}

impl Printer {
    pub(crate) fn bold(color: Color) -> bool {
        match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }

    pub(crate) fn listing(&self, listing: &Listing) -> Result<(), Failure> {
        let mut out = Vec::new();
        self.write_listing(listing, &mut out)?;
        self.sink.put(&out)
    }

    fn write_listing(&self, listing: &Listing, out: &mut impl Write) -> Result<(), Failure> {
        if self.ids {
            for first in listing.rows.iter().filter_map(|row| row.first()) {
                writeln!(out, "{}", first.plain())?;
            }
            return Ok(());
        }
        let chosen;
        let listing = if self.columns.is_empty() {
            listing
        } else {
            chosen = listing.choose(&self.columns)?;
            &chosen
        };
        match self.format {
            Format::Table | Format::Wide if listing.rows.is_empty() => {
                self.sink.note(&listing.nothing);
            }
            Format::Table | Format::Wide => writeln!(out, "{}", self.table(listing))?,
            Format::Json => write_json(out, &listing.objects())?,
            Format::Jsonl => {
                for object in listing.objects() {
                    write_line(out, &object)?;
                }
            }
            Format::Yaml => write_yaml(out, &listing.objects())?,
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                let failed = |error: csv::Error| Failure::from(std::io::Error::from(error));
                if self.headings {
                    writer.write_record(listing.columns.iter().map(|column| column.name)).map_err(failed)?;
                }
                for row in &listing.rows {
                    writer.write_record(row.iter().map(super::Cell::plain)).map_err(failed)?;
                }
                writer.flush()?;
            }
        }
        Ok(())
    }

    fn table(&self, listing: &Listing) -> String {
        let shown: Vec<usize> = (0..listing.columns.len())
            .filter(|place| {
                self.format == Format::Wide || listing.columns.get(*place).is_some_and(|c| !c.wide)
            })
            .collect();
        let mut table = Table::new();
        table.load_style(NOTHING).set_truncation_indicator("…");
        let whole = self.full || self.format == Format::Wide || !stdout().is_terminal();
        table.set_content_arrangement(if whole {
            ContentArrangement::Disabled
        } else {
            ContentArrangement::Dynamic
        });
        if self.headings {
            let headings = shown.iter().filter_map(|place| listing.columns.get(*place));
            table.set_header(headings.map(|column| {
                let heading = comfy_table::Cell::new(column.heading);
                if self.bold { heading.add_attribute(Attribute::Bold) } else { heading }
            }));
        }
        if self.bold {
            table.enforce_styling();
        }
        for row in &listing.rows {
            let mut line = Row::from(shown.iter().filter_map(|place| row.get(*place)).map(|cell| &cell.text));
            if !whole {
                line.max_height(1);
            }
            table.add_row(line);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines = table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        lines.join("\n")
    }

    /// All about one thing.
    pub(crate) fn record(&self, record: &Record) -> Result<(), Failure> {
        self.each_record(std::slice::from_ref(record), &record.object())
    }

    /// All about several things.
    pub(crate) fn records(&self, records: &[Record]) -> Result<(), Failure> {
        self.each_record(records, &records.iter().map(Record::object).collect::<Vec<_>>())
    }

    fn each_record(&self, records: &[Record], document: &impl Serialize) -> Result<(), Failure> {
        let mut out = Vec::new();
        match self.format {
            Format::Table | Format::Wide => {
                for (index, record) in records.iter().enumerate() {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    self.write_record(record, &mut out)?;
                }
            }
            Format::Json => write_json(&mut out, document)?,
            Format::Jsonl => {
                for record in records {
                    write_line(&mut out, &record.object())?;
                }
            }
            Format::Yaml => write_yaml(&mut out, document)?,
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(&mut out);
                let failed = |error: csv::Error| Failure::from(std::io::Error::from(error));
                if let (Some(first), true) = (records.first(), self.headings) {
                    writer.write_record(first.fields.iter().map(|field| field.name)).map_err(failed)?;
                }
                for record in records {
                    writer
                        .write_record(record.fields.iter().map(|field| field.cell.plain()))
                        .map_err(failed)?;
                }
                writer.flush()?;
                drop(writer);
            }
        }
        self.sink.put(&out)
    }

    fn write_record(&self, record: &Record, out: &mut impl Write) -> Result<(), Failure> {
        let width = record.fields.iter().map(|field| field.heading.len()).max().unwrap_or(0);
        let (on, off) = if self.bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        for field in &record.fields {
            let heading = field.heading;
            if field.block {
                writeln!(out, "{on}{heading}{off}")?;
                for line in field.cell.text.lines() {
                    writeln!(out, "  {line}")?;
                }
            } else {
                writeln!(out, "{on}{heading}{off}{:1$}  {2}", "", width - heading.len(), field.cell.text)?;
            }
        }
        Ok(())
    }

    /// One document of any form; as JSON in a line of its own where rows would have lines.
    pub(crate) fn document(&self, value: &Value) -> Result<(), Failure> {
        let mut out = Vec::new();
        match self.format {
            Format::Yaml => write_yaml(&mut out, value)?,
            Format::Jsonl => writeln!(out, "{value}")?,
            _ => write_json(&mut out, value)?,
        }
        self.sink.put(&out)
    }

    /// A line for people about something that was done; programs get it as data from [`listing`](Self::listing).
    pub(crate) fn say(&self, line: &str) -> Result<(), Failure> {
        if self.format.is_table() { self.line(line) } else { Ok(()) }
    }

    /// How something ended: a line for people, a record for programs.
    pub(crate) fn outcome(&self, line: &str, record: &Record) -> Result<(), Failure> {
        if self.format.is_table() { self.line(line) } else { self.record(record) }
    }

    /// A line, whatever the format.
    pub(crate) fn line(&self, line: &str) -> Result<(), Failure> {
        self.sink.put(format!("{line}\n").as_bytes())
    }
}

fn write_json(out: &mut impl Write, data: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(data).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}

fn write_line(out: &mut impl Write, data: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(data).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}

fn write_yaml(out: &mut impl Write, data: &impl Serialize) -> Result<(), Failure> {
    let text = serde_norway::to_string(data).map_err(std::io::Error::other)?;
    Ok(write!(out, "{text}")?)
}
