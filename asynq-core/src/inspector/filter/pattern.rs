//! [`Pattern`] and [`Comparison`]: what a value of a filter fits.

use std::cmp::Ordering;

use super::syntax::Part;

/// A text in which `*` stands for anything and `?` for one character; the case of letters is no matter.
#[derive(Clone, Debug)]
pub(in crate::inspector) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    Any,
    Run,
}

impl Pattern {
    /// The whole text must fit.
    pub(super) fn whole(part: &Part) -> Self {
        let mut pieces = Vec::new();
        for c in part.text.chars().flat_map(char::to_lowercase) {
            pieces.push(match c {
                '*' if !part.quoted => Piece::Run,
                '?' if !part.quoted => Piece::Any,
                c => Piece::Char(c),
            });
        }
        Self { pieces }
    }

    /// The whole of a text must fit this one, in which nothing is quoted.
    pub(in crate::inspector) fn of(text: &str) -> Self {
        Self::whole(&Part { text: text.to_owned(), place: 0..text.len(), quoted: false })
    }

    /// It must occur somewhere in the text.
    pub(super) fn within(part: &Part) -> Self {
        let mut pattern = Self::whole(part);
        pattern.pieces.insert(0, Piece::Run);
        pattern.pieces.push(Piece::Run);
        pattern
    }

    pub(in crate::inspector) fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let (mut at, mut piece) = (0, 0);
        // Where the last `*` was, and how much of the text it takes: the only place to come back to.
        let mut run = None;
        loop {
            match (self.pieces.get(piece), text.get(at)) {
                (Some(Piece::Run), _) => {
                    run = Some((piece, at));
                    piece += 1;
                }
                (Some(Piece::Any), Some(_)) => (piece, at) = (piece + 1, at + 1),
                (Some(Piece::Char(wanted)), Some(found)) if wanted == found => {
                    (piece, at) = (piece + 1, at + 1);
                }
                (None, None) => return true,
                _ => match run {
                    Some((start, taken)) if taken < text.len() => {
                        run = Some((start, taken + 1));
                        (piece, at) = (start + 1, taken + 1);
                    }
                    _ => return false,
                },
            }
        }
    }
}

/// How a quantity must compare with the one that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The sign at the beginning of a value, and what follows it.
    pub(super) fn split(text: &str) -> (Option<Self>, &str) {
        let signs = [
            (">=", Self::GreaterOrEqual),
            ("<=", Self::LessOrEqual),
            (">", Self::Greater),
            ("<", Self::Less),
            ("=", Self::Equal),
        ];
        signs
            .into_iter()
            .find_map(|(sign, comparison)| Some((Some(comparison), text.strip_prefix(sign)?)))
            .unwrap_or((None, text))
    }

    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}
