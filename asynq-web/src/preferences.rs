//! [`Preferences`]: how one browser wants things shown, kept in a cookie of its own.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::pages::Column;

/// The cookie's name.
pub(crate) const NAME: &str = "asynq_web";

/// How things are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Preferences {
    pub(crate) theme: Theme,
    pub(crate) times: Times,
    pub(crate) size: PageSize,
    pub(crate) payloads: Payloads,
    pub(crate) columns: Columns,
}

/// The columns that lists of tasks have, whatever their state; none where they are as fits the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Columns(u32);

impl Columns {
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, column: Column) -> bool {
        self.0 & (1 << column as u32) != 0
    }
}

impl FromIterator<Column> for Columns {
    fn from_iter<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        Self(columns.into_iter().fold(0, |bits, column| bits | 1 << column as u32))
    }
}

impl fmt::Display for Columns {
    /// Their names, so that a browser's choice outlives ours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Column::ALL.into_iter().filter(|column| self.has(*column)).map(Column::as_str);
        f.write_str(&names.collect::<Vec<_>>().join("-"))
    }
}

impl FromStr for Columns {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let names: Vec<&str> = text.split('-').collect();
        Ok(Column::ALL.into_iter().filter(|column| names.contains(&column.as_str())).collect())
    }
}

/// Defines a choice: its values, the first one by default, and their words.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $first:ident = $first_word:literal, $($value:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub(crate) enum $name {
            #[default]
            $first,
            $($value,)*
        }

        impl $name {
            pub(crate) const ALL: &[Self] = &[Self::$first, $(Self::$value),*];

            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$value => $word,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or(())
            }
        }
    };
}

choice! {
    /// Bright or dark.
    Theme { System = "system", Light = "light", Dark = "dark" }
}
choice! {
    /// How times are written.
    Times { Relative = "relative", Utc = "utc", Local = "local" }
}
choice! {
    /// How many tasks a page shows.
    PageSize { Thirty = "30", Ten = "10", Hundred = "100", ThreeHundred = "300" }
}

choice! {
    /// Whether lists show what tasks carry.
    Payloads { Shown = "shown", Hidden = "hidden" }
}

impl PageSize {
    /// All of them, the smallest first.
    pub(crate) fn by_count() -> Vec<Self> {
        let mut sizes = Self::ALL.to_vec();
        sizes.sort_by_key(|size| size.count());
        sizes
    }

    pub(crate) fn count(self) -> usize {
        match self {
            Self::Ten => 10,
            Self::Thirty => 30,
            Self::Hundred => 100,
            Self::ThreeHundred => 300,
        }
    }
}

impl Preferences {
    /// Those of a request; what cannot be read is as if it were not there.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let ours = pairs.find_map(|(name, value)| (name == NAME).then_some(value));
        let mut parts = ours.unwrap_or_default().split('.');
        let mut next = || parts.next().unwrap_or_default();
        Self {
            theme: next().parse().unwrap_or_default(),
            times: next().parse().unwrap_or_default(),
            size: next().parse().unwrap_or_default(),
            payloads: next().parse().unwrap_or_default(),
            columns: next().parse().unwrap_or_default(),
        }
    }

    /// The cookie's value.
    pub(crate) fn to_value(self) -> String {
        let Self { theme, times, size, payloads, columns } = self;
        let (theme, times, size, payloads) =
            (theme.as_str(), times.as_str(), size.as_str(), payloads.as_str());
        format!("{theme}.{times}.{size}.{payloads}.{columns}")
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn they_come_back_and_nonsense_is_nothing() {
        let read = |cookie: &str| {
            Preferences::read(&HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())]))
        };
        let dark = Preferences {
            theme: Theme::Dark,
            times: Times::Utc,
            size: PageSize::Hundred,
            payloads: Payloads::Hidden,
            columns: [Column::Due, Column::Type].into_iter().collect(),
        };
        assert_eq!(dark.to_value(), "dark.utc.100.hidden.type-due");
        assert_eq!(read(&format!("a=b; {NAME}={}; c=d", dark.to_value())), dark);
        for cookie in ["", "asynq_web", "asynq_web=", "asynq_web=pink.soon.7", "other=dark.utc.100"] {
            assert_eq!(read(cookie), Preferences::default(), "{cookie}");
        }
        assert_eq!(read("asynq_web=dark").theme, Theme::Dark);
    }
}
