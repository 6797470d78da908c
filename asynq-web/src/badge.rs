//! [`Badge`]: which environment this is, in a color of its own on every page.

use std::fmt;
use std::str::FromStr;

/// The color of a [badge](crate::WebUi::badge).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Accent {
    /// Red: for production, say.
    Red,
    /// Orange.
    Orange,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Purple.
    Purple,
    /// Gray.
    #[default]
    Gray,
}

impl Accent {
    /// Every color.
    pub const ALL: [Self; 6] = [Self::Red, Self::Orange, Self::Green, Self::Blue, Self::Purple, Self::Gray];

    /// Its word: `red`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Gray => "gray",
        }
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Accent {
    type Err = UnknownAccent;

    fn from_str(text: &str) -> Result<Self, UnknownAccent> {
        let found = Self::ALL.into_iter().find(|accent| accent.as_str() == text);
        found.ok_or_else(|| UnknownAccent(text.to_owned()))
    }
}

/// Not a color that a badge can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAccent(String);

impl fmt::Display for UnknownAccent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Accent::ALL.map(Accent::as_str).join(", ");
        write!(f, "`{}` is no color of a badge; known are {known}", self.0)
    }
}

impl std::error::Error for UnknownAccent {}

/// Which environment this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) text: String,
    pub(crate) accent: Accent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_known_by_their_words() {
        for accent in Accent::ALL {
            assert_eq!(accent.as_str().parse(), Ok(accent));
        }
        let error = "pink".parse::<Accent>().unwrap_err().to_string();
        assert_eq!(error, "`pink` is no color of a badge; known are red, orange, green, blue, purple, gray");
    }
}
