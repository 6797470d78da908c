//! What makes one task of a group: aggregators, typed or not, and which of them takes which task.

mod aggregated;
mod aggregator;
mod aggregators;
mod expansion;
mod registration;

pub use aggregated::{AggregateResult, IntoAggregated};
pub use aggregator::{Aggregation, Aggregator, StartFn};
pub(crate) use aggregators::Aggregators;
#[doc(hidden)]
pub use expansion::{aggregate, boxed_aggregation, group_of};
pub use registration::{AggregatorRegistration, DuplicateAggregator, registered_aggregators};
