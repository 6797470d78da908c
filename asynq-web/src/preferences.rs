//! [`Preferences`]: how one browser wants things shown, kept in a cookie of its own.

use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// The cookie's name.
pub(crate) const NAME: &str = "asynq_web";

/// How things are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Preferences {
    pub(crate) theme: Theme,
    pub(crate) times: Times,
    pub(crate) size: PageSize,
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

impl PageSize {
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
        }
    }

    /// The cookie's value.
    pub(crate) fn to_value(self) -> String {
        format!("{}.{}.{}", self.theme.as_str(), self.times.as_str(), self.size.as_str())
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
        let dark = Preferences { theme: Theme::Dark, times: Times::Utc, size: PageSize::Hundred };
        assert_eq!(read(&format!("a=b; {NAME}={}; c=d", dark.to_value())), dark);
        for cookie in ["", "asynq_web", "asynq_web=", "asynq_web=pink.soon.7", "other=dark.utc.100"] {
            assert_eq!(read(cookie), Preferences::default(), "{cookie}");
        }
        assert_eq!(read("asynq_web=dark").theme, Theme::Dark);
    }
}
