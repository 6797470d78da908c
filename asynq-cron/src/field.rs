//! [`Field`]: one of the five fields: which numbers it takes.

use crate::InvalidSpec;

/// Which numbers a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Bit n is set when n is taken.
    bits: u64,
    star: bool,
}

impl Field {
    /// Whether the field takes this number.
    pub fn takes(self, number: u8) -> bool {
        number < 64 && self.bits & (1 << number) != 0
    }

    /// The least number from `from` on that the field takes.
    pub fn at_least(self, from: u8) -> Option<u8> {
        let left = if from < 64 { self.bits >> from << from } else { 0 };
        (left != 0).then(|| u8::try_from(left.trailing_zeros()).unwrap_or(63))
    }

    /// Whether the field was written as a star: `*`, `?` or `*/1`, alone or in a list. Compat: `*/2` is none.
    pub fn is_star(self) -> bool {
        self.star
    }

    pub(crate) const fn only(number: u8) -> Self {
        Self { bits: 1 << number, star: false }
    }
}

/// What a field may hold.
pub(crate) struct Bounds {
    /// Its name, for messages.
    pub(crate) name: &'static str,
    least: u64,
    most: u64,
    /// Names of numbers, the first one of `least`.
    names: &'static [&'static str],
}

pub(crate) const MINUTE: Bounds = Bounds { name: "minute", least: 0, most: 59, names: &[] };
pub(crate) const HOUR: Bounds = Bounds { name: "hour", least: 0, most: 23, names: &[] };
pub(crate) const DAY_OF_MONTH: Bounds = Bounds { name: "day of month", least: 1, most: 31, names: &[] };
pub(crate) const MONTH: Bounds = Bounds {
    name: "month",
    least: 1,
    most: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(crate) const DAY_OF_WEEK: Bounds = Bounds {
    name: "day of week",
    least: 0,
    most: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Bounds {
    /// Every number.
    pub(crate) const fn all(&self) -> Field {
        Field { bits: (u64::MAX >> (63 - self.most)) >> self.least << self.least, star: true }
    }

    /// Reads a field: a list of items. Compat: empty items are skipped, so that a field of commas takes nothing.
    pub(crate) fn read(&self, text: &str) -> Result<Field, InvalidSpec> {
        let mut field = Field { bits: 0, star: false };
        for item in text.split(',').filter(|item| !item.is_empty()) {
            let Field { bits, star } = self.item(item).map_err(|reason| self.wrong(item, &reason))?;
            field = Field { bits: field.bits | bits, star: field.star | star };
        }
        Ok(field)
    }

    /// `*`, `?`, `n`, `n-m`, each perhaps with `/step`.
    fn item(&self, item: &str) -> Result<Field, String> {
        let (range, step) = match item.split_once('/') {
            Some((_, step)) if step.contains('/') => return Err("has more than one `/`".to_owned()),
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from, Some(to)),
            None => (range, None),
        };
        let step_size = step.map(number).transpose()?;
        let any = matches!(from, "*" | "?");
        let (first, last) = if any {
            // Compat: whatever stands behind `*-` is ignored.
            (self.least, self.most)
        } else {
            let first = self.number(from)?;
            let last = match to {
                Some(to) if to.contains('-') => return Err("has more than one `-`".to_owned()),
                Some(to) => self.number(to)?,
                // `n/step` goes on to the end, `n` alone does not.
                None if step.is_some() => self.most,
                None => first,
            };
            (first, last)
        };
        if let Some(outside) = [first, last].into_iter().find(|n| !(self.least..=self.most).contains(n)) {
            return Err(self.outside(outside));
        }
        if first > last {
            return Err(format!("ends before it begins: {first} is after {last}"));
        }
        let step_size = step_size.unwrap_or(1);
        let stride = usize::try_from(step_size).unwrap_or(usize::MAX);
        if stride == 0 {
            return Err("has a step of 0, which goes nowhere: write 1 or more behind the `/`".to_owned());
        }
        let bits = (first..=last).step_by(stride).fold(0, |bits, n| bits | 1 << n);
        // Compat: a star with a step above 1 does not count as one.
        Ok(Field { bits, star: any && step_size == 1 })
    }

    /// A number, or the name of one.
    fn number(&self, text: &str) -> Result<u64, String> {
        match (self.least..).zip(self.names).find(|(_, name)| name.eq_ignore_ascii_case(text)) {
            Some((number, _)) => Ok(number),
            None if self.names.is_empty() || text.is_empty() => number(text),
            None => number(text).map_err(|_digits| format!("`{text}` is neither a number nor a name")),
        }
    }

    fn outside(&self, number: u64) -> String {
        let hint = if self.name == DAY_OF_WEEK.name && number == 7 { " (Sunday is 0)" } else { "" };
        let Self { least, most, .. } = self;
        format!("{number} is not between {least} and {most}{hint}")
    }

    fn wrong(&self, item: &str, reason: &str) -> InvalidSpec {
        let Self { name, least, most, names } = self;
        let or_names = match (names.first(), names.last()) {
            (Some(first), Some(last)) => format!(" or {first}-{last}"),
            _ => String::new(),
        };
        InvalidSpec::new(format!(
            "{name} `{item}`: {reason}; a {name} is {least}-{most}{or_names}, a range `a-b`, `*`, each perhaps with \
             a `/step`, or a list of these"
        ))
    }
}

/// A whole number. Compat: a `+` may stand before it.
fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Go counts in 64 bits with a sign.
    let number = digits.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok());
    match number {
        Some(number) if is_number => Ok(number),
        _ if text.is_empty() => Err("a number is missing".to_owned()),
        _ => Err(format!("`{text}` is not a number")),
    }
}
