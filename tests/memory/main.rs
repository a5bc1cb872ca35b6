//! The memory that is left is known, and that of a run is known before its data are read.

mod left;
mod plan;
