//! The jobs of a program as data ([`Catalog`]), and what changed from one version of it to the next ([`Change`]).

mod catalog;
mod change;
mod diff;
mod job;
mod schema;
#[cfg(test)]
mod tests;

pub use catalog::{Catalog, InvalidCatalog, export_catalog};
pub use change::{Change, ChangeKind};
pub use job::{CatalogField, CatalogJob, CatalogOptions, CatalogPayload};
