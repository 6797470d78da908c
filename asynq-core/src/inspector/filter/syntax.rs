//! The words of a filter: `[-]name:value[,value…]` or `[-]text`, separated by blanks. Values in double quotes may have
//! blanks, commas and colons; `\"` and `\\` stand for `"` and `\` there.

use std::ops::Range;

use super::FilterError;

/// One word of a filter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Whether it begins with a minus: tasks of which the rest does *not* hold.
    pub(super) negated: bool,
    /// What is asked for, such as `type`; `None` for a word that is only text.
    pub(super) name: Option<Part>,
    /// One of these must fit. At least one.
    pub(super) values: Vec<Part>,
    /// Where the word stands.
    pub(super) place: Range<usize>,
}

/// A piece of text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) place: Range<usize>,
    /// Whether it was in quotes: then nothing in it has a meaning of its own.
    pub(super) quoted: bool,
}

/// Takes a filter's text apart.
pub(super) fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut reader = Reader { text, at: 0 };
    let mut words = Vec::new();
    loop {
        reader.take_while(char::is_whitespace);
        if reader.rest().is_empty() {
            return Ok(words);
        }
        words.push(reader.word()?);
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> Range<usize> {
        let rest = self.rest();
        let start = self.at;
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        start..self.at
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn word(&mut self) -> Result<Word, FilterError> {
        let start = self.at;
        let negated = self.take('-');
        let first = self.value()?;
        // A colon behind a word that is not in quotes makes a name of it.
        let name = (!first.quoted && self.take(':')).then(|| first.clone());
        let mut values = if name.is_some() { vec![self.whole_value()?] } else { vec![first] };
        while name.is_some() && self.take(',') {
            values.push(self.whole_value()?);
        }
        let place = start..self.at;
        if !self.rest().is_empty() && !self.rest().starts_with(char::is_whitespace) {
            let stray = self.at..self.at + self.rest().chars().next().map_or(0, char::len_utf8);
            let reason = "a blank must separate two parts of a filter";
            return Err(FilterError::new(reason, self.text, stray));
        }
        if let Some(empty) = values.iter().find(|value| value.text.is_empty() && !value.quoted) {
            let reason = match &name {
                Some(name) => format!("`{}:` needs a value; an empty one is written `\"\"`", name.text),
                None => "a minus must be followed by what is not wanted".to_owned(),
            };
            return Err(FilterError::new(
                reason,
                self.text,
                empty.place.start.saturating_sub(1)..empty.place.end,
            ));
        }
        Ok(Word { negated, name, values, place })
    }

    /// A name or a text: up to a blank or a colon.
    fn value(&mut self) -> Result<Part, FilterError> {
        self.part(|c| !c.is_whitespace() && c != ':' && c != '"')
    }

    /// What stands behind a name: up to a blank or a comma; task types have colons.
    fn whole_value(&mut self) -> Result<Part, FilterError> {
        self.part(|c| !c.is_whitespace() && c != ',' && c != '"')
    }

    fn part(&mut self, wanted: impl Fn(char) -> bool) -> Result<Part, FilterError> {
        let start = self.at;
        if self.take('"') {
            return self.quoted(start);
        }
        let place = self.take_while(wanted);
        let text = self.text.get(place.clone()).unwrap_or_default().to_owned();
        Ok(Part { text, place, quoted: false })
    }

    fn quoted(&mut self, start: usize) -> Result<Part, FilterError> {
        let mut text = String::new();
        let mut chars = self.rest().chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    self.at = self.text.len() - chars.as_str().len();
                    return Ok(Part { text, place: start..self.at, quoted: true });
                }
                '\\' => text.extend(chars.next()),
                c => text.push(c),
            }
        }
        let reason = "the quote that begins here does not end; end it with `\"`";
        Err(FilterError::new(reason, self.text, start..start + 1))
    }
}
