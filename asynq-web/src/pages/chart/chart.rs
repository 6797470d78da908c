//! [`Chart`]: numbers over time, with a title, a legend and axes; and the same as a table.

use jiff::Timestamp;
use maud::{Markup, html};

use super::plot::{HEIGHT, WIDTH, area, bar, line};
use crate::measure::Measure;

/// How many rows the table has at most: each stands for several steps.
const ROWS: usize = 24;

/// Numbers over time.
pub(in crate::pages) struct Chart {
    /// What tells it from others on the page.
    pub(in crate::pages) key: &'static str,
    pub(in crate::pages) title: &'static str,
    /// What the numbers mean, in a sentence.
    pub(in crate::pages) about: String,
    pub(in crate::pages) measure: Measure,
    pub(in crate::pages) form: Form,
    /// When each step begins.
    pub(in crate::pages) times: Vec<Timestamp>,
    /// What stands below the plot: at its start, in its middle, at its end.
    pub(in crate::pages) ends: [String; 3],
    pub(in crate::pages) lines: Vec<Line>,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pages) enum Form {
    /// Lines above each other, the first with the area below it.
    Lines,
    /// Areas on top of each other.
    Stacked,
    /// Bars, one for each step, on top of each other.
    Bars,
}

/// Numbers of one kind.
pub(in crate::pages) struct Line {
    pub(in crate::pages) name: String,
    /// Its color, by class.
    pub(in crate::pages) class: &'static str,
    /// One for each step, where it is known.
    pub(in crate::pages) values: Vec<Option<f64>>,
}

/// A line on top of others.
struct Layer<'a> {
    of: &'a Line,
    /// What is below it.
    lower: Vec<f64>,
    upper: Vec<Option<f64>>,
}

impl Line {
    pub(in crate::pages) fn new(
        name: impl Into<String>,
        class: &'static str,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        Self { name: name.into(), class, values: values.into_iter().collect() }
    }

    fn last(&self) -> Option<f64> {
        self.values.iter().rev().flatten().next().copied()
    }
}

impl Chart {
    /// The chart; of what nothing is known, that.
    pub(in crate::pages) fn show(&self) -> Markup {
        let is_known = self.lines.iter().any(|line| line.values.iter().any(Option::is_some));
        html! {
            figure.chart data-key={"chart-" (self.key)} {
                figcaption {
                    h2 { (self.title) }
                    ul.legend {
                        @for line in &self.lines {
                            li class=(line.class) {
                                (line.name)
                                @if let Some(last) = line.last() { " " b { (self.measure.text(last)) } }
                            }
                        }
                    }
                }
                @if is_known { (self.plot()) (self.table()) } @else { p.muted { "Nothing is known of this time." } }
            }
        }
    }

    fn plot(&self) -> Markup {
        let end = self.measure.end(self.most());
        let data: Vec<String> = (0..self.times.len()).map(|step| self.texts(step)).collect();
        let names: Vec<&str> = self.lines.iter().map(|line| line.name.as_str()).collect();
        let stamp = |at: Option<&Timestamp>| at.map_or(0, |at| at.as_millisecond());
        let step = stamp(self.times.get(1)) - stamp(self.times.first());
        html! {
            div.plot {
                div.y aria-hidden="true" {
                    span { (self.measure.text(end)) } span { (self.measure.text(end / 2.0)) } span { (self.measure.text(0.0)) }
                }
                svg viewBox={"0 0 " (WIDTH) " " (HEIGHT)} preserveAspectRatio="none" role="img"
                    aria-label={(self.title) ". " (self.about)}
                    data-start=(stamp(self.times.first())) data-step=(step) data-names=(names.join("\n"))
                    data-values=(data.join(";")) data-form=(match self.form { Form::Bars => "bars", _ => "lines" }) {
                    title { (self.title) }
                    desc { (self.about) }
                    path.grid d={"M0 0H" (WIDTH) "M0 " (HEIGHT / 2.0) "H" (WIDTH) "M0 " (HEIGHT) "H" (WIDTH)} {}
                    (self.marks(end))
                }
                output.readout hidden {}
                div.x aria-hidden="true" { @for label in &self.ends { span { (label) } } }
            }
        }
    }

    fn marks(&self, end: f64) -> Markup {
        let steps = self.times.len();
        match self.form {
            Form::Lines => html! {
                @for (place, of) in self.lines.iter().enumerate() {
                    @if place == 0 { path class={"area " (of.class)} d=(area(&[], &of.values, end)) {} }
                }
                @for of in self.lines.iter().rev() { path class={"line " (of.class)} d=(line(&of.values, end)) {} }
            },
            Form::Stacked | Form::Bars => html! {
                @for Layer { of, lower, upper } in self.stacked() {
                    @if self.form == Form::Stacked {
                        path class={"layer " (of.class)} d=(area(&lower, &upper, end)) {}
                    } @else {
                        @for (place, (from, to)) in lower.iter().zip(&upper).enumerate() {
                            @if let Some(to) = to {
                                @if to > from {
                                    @let [x, width, y, height] = bar(place, steps, *from, *to, end);
                                    rect class={"layer " (of.class)} x=(x) width=(width) y=(y) height=(height) {}
                                }
                            }
                        }
                    }
                }
            },
        }
    }

    /// Each line with what is below it, and with that it makes.
    fn stacked(&self) -> Vec<Layer<'_>> {
        let mut below = vec![0.0; self.times.len()];
        let mut all = Vec::new();
        for line in &self.lines {
            let upper: Vec<Option<f64>> = line
                .values
                .iter()
                .zip(&below)
                .map(|(value, below)| value.map(|value| value + below))
                .collect();
            // What is nowhere needs no layer.
            if line.values.iter().flatten().any(|value| *value > 0.0) {
                all.push(Layer { of: line, lower: below.clone(), upper: upper.clone() });
            }
            for (below, upper) in below.iter_mut().zip(upper) {
                *below = upper.unwrap_or(*below);
            }
        }
        all
    }

    fn most(&self) -> f64 {
        let highest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        match self.form {
            Form::Lines => {
                highest(&mut self.lines.iter().flat_map(|line| line.values.iter().flatten().copied()))
            }
            Form::Stacked | Form::Bars => highest(&mut (0..self.times.len()).map(|step| {
                self.lines.iter().filter_map(|line| line.values.get(step).copied().flatten()).sum::<f64>()
            })),
        }
    }

    /// What the script shows of a step.
    fn texts(&self, step: usize) -> String {
        let text =
            |line: &Line| line.values.get(step).copied().flatten().map(|value| self.measure.text(value));
        self.lines.iter().map(|line| text(line).unwrap_or_default()).collect::<Vec<_>>().join("|")
    }

    fn table(&self) -> Markup {
        let rows = self.times.len().div_ceil(ROWS).max(1);
        let dates = self.form == Form::Bars;
        html! {
            details {
                summary { "As a table" span.hidden { ": " (self.title) } }
                div.scroll role="region" aria-label={(self.title) " as a table"} tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { @if dates { "Day (UTC)" } @else { "From (UTC)" } }
                            @for line in &self.lines { th.right scope="col" { (line.name) } }
                        } }
                        tbody {
                            @for (row, times) in self.times.chunks(rows).enumerate() {
                                @if let Some(at) = times.first() {
                                    tr {
                                        th scope="row" { (at.strftime(if dates { "%Y-%m-%d" } else { "%m-%d %H:%M:%S" }).to_string()) }
                                        @for line in &self.lines { td.right { (self.mean(line, row * rows, rows)) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The mean of what is known of some steps.
    fn mean(&self, line: &Line, from: usize, steps: usize) -> Markup {
        let known: Vec<f64> = line.values.iter().skip(from).take(steps).flatten().copied().collect();
        #[expect(clippy::cast_precision_loss, reason = "a few steps")]
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        html! { @if known.is_empty() { span.zero { "–" } } @else { (self.measure.text(mean)) } }
    }
}
