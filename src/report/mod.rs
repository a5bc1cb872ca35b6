//! Reports: pages of text with tables, charts and pictures, contact sheets, confusion matrices.
//!
//! They take plain data and know neither training nor runs. May depend on `kernel` and `program`. Read
//! `page/mod.rs` first.

pub mod confusion;
#[cfg(feature = "cli")]
pub mod contact_sheet;
pub mod page;
