//! What draws: pages of text with tables, charts and pictures, contact sheets, confusion matrices.
//!
//! Takes plain data; knows neither training nor runs. May depend on `kernel` and `program`. Read `page/mod.rs`
//! first.

pub mod confusion;
pub mod contact_sheet;
pub mod page;
