//! Lines and areas: numbers → paths. A plot is 1000 wide and 100 high, and is stretched to where it is shown.

/// How wide a plot is.
pub(super) const WIDTH: f64 = 1_000.0;

/// How high.
pub(super) const HEIGHT: f64 = 100.0;

/// A line through numbers, as high as `end` where they are; it breaks where there is none.
pub(super) fn line(values: &[Option<f64>], end: f64) -> String {
    let mut path = String::new();
    for part in parts(values) {
        trace(&mut path, 'M', part.iter().map(|(x, value)| (*x, height(*value, end))));
        if let [(x, value)] = part[..] {
            // A point alone is as wide as the line is thick.
            write(&mut path, 'L', x + 0.1, height(value, end));
        }
    }
    path
}

/// The area between two rows of numbers; it breaks where the upper one does.
pub(super) fn area(lower: &[f64], upper: &[Option<f64>], end: f64) -> String {
    let mut path = String::new();
    let step = step(upper.len());
    let floor = |x: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the row")]
        let place = if step > 0.0 { (x / step).round() as usize } else { 0 };
        height(lower.get(place).copied().unwrap_or(0.0), end)
    };
    for part in parts(upper) {
        trace(&mut path, 'M', part.iter().map(|(x, value)| (*x, height(*value, end))));
        if let [(x, value)] = part[..] {
            write(&mut path, 'L', x + 2.0, height(value, end));
            write(&mut path, 'L', x + 2.0, floor(x));
        }
        trace(&mut path, 'L', part.iter().rev().map(|(x, _)| (*x, floor(*x))));
        path.push('Z');
    }
    path
}

/// A bar: where it begins, how wide it is, how high up it begins, how high it is.
pub(super) fn bar(place: usize, bars: usize, from: f64, to: f64, end: f64) -> [String; 4] {
    let width = WIDTH / number(bars.max(1));
    let (top, bottom) = (height(to, end), height(from, end));
    let (x, gap) = (number(place) * width, width * 0.15);
    [x + gap / 2.0, width - gap, top, bottom - top].map(|value| format!("{value:.1}"))
}

/// Numbers that follow each other, each with its place.
fn parts(values: &[Option<f64>]) -> Vec<Vec<(f64, f64)>> {
    let step = step(values.len());
    let mut parts: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (place, value) in values.iter().enumerate() {
        match (value, parts.last_mut()) {
            (Some(value), Some(part)) => part.push((number(place) * step, *value)),
            _ => parts.push(Vec::new()),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn step(values: usize) -> f64 {
    if values > 1 { WIDTH / number(values - 1) } else { 0.0 }
}

fn height(value: f64, end: f64) -> f64 {
    if end > 0.0 { HEIGHT - (value / end).clamp(0.0, 1.0) * HEIGHT } else { HEIGHT }
}

fn trace(path: &mut String, first: char, points: impl Iterator<Item = (f64, f64)>) {
    for (place, (x, y)) in points.enumerate() {
        write(path, if place == 0 { first } else { 'L' }, x, y);
    }
}

fn write(path: &mut String, how: char, x: f64, y: f64) {
    path.push(how);
    path.extend([format!("{x:.1} "), format!("{y:.1}")]);
}

#[expect(clippy::cast_precision_loss, reason = "a place on a chart")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_nothing_is_known() {
        let values = [Some(0.0), Some(5.0), None, Some(10.0), None, Some(20.0)];
        let path = line(&values, 10.0);
        assert_eq!(path, "M0.0 100.0L200.0 50.0M600.0 0.0L600.1 0.0M1000.0 0.0L1000.1 0.0");
        assert_eq!(line(&[None, None], 10.0), "");
        assert_eq!(line(&[], 10.0), "");
    }

    #[test]
    fn areas_stand_on_what_is_below_them() {
        let path = area(&[0.0, 5.0], &[Some(5.0), Some(10.0)], 10.0);
        assert_eq!(path, "M0.0 50.0L1000.0 0.0L1000.0 50.0L0.0 100.0Z");
    }

    #[test]
    fn bars_stand_side_by_side() {
        assert_eq!(bar(1, 4, 0.0, 5.0, 10.0), ["268.8", "212.5", "50.0", "50.0"]);
    }
}
