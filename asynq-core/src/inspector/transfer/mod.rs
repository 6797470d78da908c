//! Export and import: tasks as lines of JSON, with all that is stored of them.
//!
//! ```text
//! export.rs (Export: tasks ─► lines)   import.rs (Import: lines ─► tasks)
//!      └────────► record.rs (what a line says) ◄────────┘
//! ```

mod export;
mod import;
mod record;

pub use export::Export;
pub use import::{Import, ImportError, Imported, ImportedLines, OnConflict};
