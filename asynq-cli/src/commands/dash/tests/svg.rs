//! A screen as a picture.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The size of a character, in pixels.
const WIDE: f32 = 8.4;
const HIGH: f32 = 16.0;

/// A screen as a picture: SVG, each run of characters that look the same a text of its own.
pub(super) fn svg(screen: &Buffer) -> String {
    let (width, height) = (f32::from(screen.area.width) * WIDE, f32::from(screen.area.height) * HIGH);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-12 -12 {:.1} {:.1}\" font-family=\"ui-monospace, Menlo, Consolas, \
         DejaVu Sans Mono, monospace\" font-size=\"14\">\n<rect x=\"-12\" y=\"-12\" width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#11161d\"/>\n",
        width + 24.0,
        height + 24.0
    );
    for y in 0..screen.area.height {
        let mut x = 0;
        while x < screen.area.width {
            let first = &screen[(x, y)];
            let end = (x..screen.area.width)
                .find(|place| !is_alike(&screen[(*place, y)], first))
                .unwrap_or(screen.area.width);
            let text: String = (x..end).map(|place| screen[(place, y)].symbol()).collect();
            run(&mut svg, first, &text, (x, y), end - x);
            x = end;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn is_alike(one: &Cell, two: &Cell) -> bool {
    (one.fg, one.bg, one.modifier) == (two.fg, two.bg, two.modifier)
}

fn run(svg: &mut String, cell: &Cell, text: &str, (x, y): (u16, u16), count: u16) {
    let (left, top, wide) = (f32::from(x) * WIDE, f32::from(y) * HIGH, f32::from(count) * WIDE);
    let (mut ink, mut paper) = (color(cell.fg, "#d7dde5"), color(cell.bg, "none"));
    if cell.modifier.contains(Modifier::REVERSED) {
        (ink, paper) = ("#11161d", ink);
    }
    if paper != "none" {
        writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{HIGH}\" fill=\"{paper}\"/>"
        )
        .unwrap();
    }
    if text.trim().is_empty() {
        return;
    }
    let bold = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{wide:.1}\" fill=\"{ink}\"{bold} xml:space=\"preserve\">{text}</text>",
        top + 13.0
    )
    .unwrap();
}

fn color(color: Color, otherwise: &'static str) -> &'static str {
    match color {
        Color::Red => "#e5534b",
        Color::LightRed => "#ff938a",
        Color::Green => "#57ab5a",
        Color::Yellow => "#d9b14a",
        Color::Blue => "#539bf5",
        Color::Magenta => "#b083f0",
        Color::Cyan => "#4fc1c9",
        Color::Gray => "#adbac7",
        Color::DarkGray => "#768390",
        Color::White => "#ffffff",
        _ => otherwise,
    }
}
