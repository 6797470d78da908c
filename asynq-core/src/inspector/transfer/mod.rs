//! Export and import: tasks as lines of JSON, with all that is stored of them.
//!
//! ```text
//! export.rs (Export: tasks ─► lines)   import.rs (Import: lines ─► tasks) ─► waves.rs (which at the same time)
//!      └────────► record.rs (what a line says) ◄────────┘                  └─► imported.rs (what became of them)
//! ```

mod export;
mod import;
mod imported;
mod record;
mod waves;

pub use export::Export;
pub use import::{Import, OnConflict};
pub use imported::{ImportError, Imported, ImportedLines};
