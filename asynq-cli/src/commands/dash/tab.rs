//! [`Tab`]: the screens.

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Queues,
    Tasks,
    Servers,
    Schedulers,
    Metrics,
    Redis,
}

impl Tab {
    /// In the order of their numbers.
    pub(super) const ALL: [Self; 7] = [
        Self::Overview,
        Self::Queues,
        Self::Tasks,
        Self::Servers,
        Self::Schedulers,
        Self::Metrics,
        Self::Redis,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Queues => "Queues",
            Self::Tasks => "Tasks",
            Self::Servers => "Servers",
            Self::Schedulers => "Schedulers",
            Self::Metrics => "Metrics",
            Self::Redis => "Redis",
        }
    }

    /// The one so many places further, round and round.
    pub(super) fn step(self, places: isize) -> Self {
        let count = Self::ALL.len().cast_signed();
        let place = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0).cast_signed();
        let next = (place + places).rem_euclid(count).cast_unsigned();
        Self::ALL.get(next).copied().unwrap_or(self)
    }
}
