//! Curves of the results, as SVG.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;

use crate::report::Report;
use crate::system::System;

/// A picture: rows of the results whose names differ in a number.
pub(crate) struct Plot {
    /// The name of its file, without the ending.
    pub(crate) file: &'static str,
    title: &'static str,
    across: &'static str,
    up: &'static str,
    /// The names of its rows: this, a number, and that.
    before: &'static str,
    after: &'static str,
    /// Whether what it shows spans several powers of ten.
    is_steep: bool,
}

const fn plot(
    file: &'static str,
    title: &'static str,
    across: &'static str,
    up: &'static str,
    before: &'static str,
    after: &'static str,
) -> Plot {
    Plot { file, title, across, up, before, after, is_steep: false }
}

/// All of them.
pub(crate) const PLOTS: [Plot; 10] = [
    plot("concurrency", "Tasks that do nothing, run by one worker", "slots", "tasks/s", "drain c=", ""),
    plot("callers", "Tasks enqueued, one call for each", "callers", "tasks/s", "enqueue p=", ""),
    plot("payload", "Tasks enqueued and run", "bytes of payload", "tasks/s", "cycle bytes=", ""),
    plot("depth", "Tasks run from a long queue", "tasks in the queue", "tasks/s", "drain depth=", ""),
    plot(
        "depth-cost",
        "Redis' time for a task from a long queue",
        "tasks in the queue",
        "µs",
        "drain depth=",
        " redis_us",
    ),
    plot(
        "queues",
        "Redis' time for a task from one of many queues",
        "queues",
        "µs",
        "drain queues=",
        " redis_us",
    ),
    plot(
        "workers",
        "Tasks run by worker processes with 10 slots",
        "workers",
        "tasks/s",
        "drain workers=",
        "",
    ),
    plot("workers-cost", "Redis' time for a task", "workers", "µs", "drain workers=", " redis_us"),
    plot(
        "cluster",
        "Whole lives of tasks that masters of a cluster have time for",
        "masters",
        "tasks/s",
        "cluster masters=",
        " limit",
    ),
    Plot {
        is_steep: true,
        ..plot(
            "pickup",
            "From enqueuing to the start of the handler",
            "percent of tasks",
            "ms",
            "pickup p",
            "",
        )
    },
];

const SIZE: (u32, u32) = (760, 420);

impl Plot {
    /// Draws it; nothing where there is no such curve.
    pub(crate) fn draw(&self, report: &Report) -> Result<Option<String>> {
        let curves = report.curve(self.before, self.after);
        if curves.values().all(|points| points.len() < 2) {
            return Ok(None);
        }
        let mut svg = String::new();
        self.draw_on(&mut svg, &curves).map_err(|error| anyhow!("cannot draw {}: {error}", self.file))?;
        Ok(Some(svg))
    }

    fn draw_on(
        &self,
        svg: &mut String,
        curves: &BTreeMap<System, Vec<(f64, f64)>>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let points = || curves.values().flatten();
        let least = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
        let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
        let (left, right) = (least(|point| point.0), most(|point| point.0));
        let (bottom, top) = (least(|point| point.1), most(|point| point.1));
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area);
        chart.caption(self.title, ("sans-serif", 18)).margin(14).margin_right(36);
        chart.x_label_area_size(44).y_label_area_size(76);
        if self.is_steep {
            let heights = (bottom / 2.0..top * 2.0).log_scale();
            self.draw_curves(&mut chart.build_cartesian_2d(left..right, heights)?, curves)?;
        } else {
            let widths = (left..right).log_scale();
            self.draw_curves(&mut chart.build_cartesian_2d(widths, 0.0..top * 1.08)?, curves)?;
        }
        area.present()?;
        Ok(())
    }

    /// The axes, a line for each system, and what it is called; whatever kind of axes they are.
    fn draw_curves<'a, X, Y>(
        &self,
        chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
        curves: &BTreeMap<System, Vec<(f64, f64)>>,
    ) -> Result<(), DrawingAreaErrorKind<std::io::Error>>
    where
        X: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let number = |value: &f64| value.to_string();
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(self.across).x_label_formatter(&number).y_desc(self.up).y_label_formatter(&number);
        mesh.light_line_style(WHITE).draw()?;
        for (system, points) in curves {
            let color = color(*system);
            let line = LineSeries::new(points.clone(), color.stroke_width(2)).point_size(3);
            let key = move |(x, y)| Rectangle::new([(x, y - 2), (x + 16, y + 2)], color.filled());
            chart.draw_series(line)?.label(system.name()).legend(key);
        }
        let mut labels = chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperLeft);
        labels.background_style(WHITE.mix(0.6)).border_style(BLACK.mix(0.2)).draw()?;
        Ok(())
    }
}

/// Colors that those who do not see all of them can tell apart.
fn color(system: System) -> RGBColor {
    match system {
        System::Ours => RGBColor(0, 114, 178),
        System::Go => RGBColor(213, 94, 0),
        System::BullMq => RGBColor(204, 121, 167),
        System::BullMqOfficial => RGBColor(0, 158, 115),
        System::Apalis => RGBColor(230, 159, 0),
        System::Sidekiq => RGBColor(86, 180, 233),
        System::Asynq => RGBColor(90, 90, 90),
    }
}
