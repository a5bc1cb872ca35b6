//! The kernel table: one row per shader, and the choice among several versions.
//!
//! Depends on `kernel` and `cpu`. Read `steps.rs` first, then `dense.rs` and `choice/mod.rs`.
//!
//! A row names the shader's constants and bindings, says how many words each
//! binding has and how many invocations it wants, and ties the shader to its
//! twin and its error bound. `tests/shaders` checks every row against the shader, by reflection.

/// `binds![a: Read Real, c: Write Real]`
macro_rules! binds {
    ($($name:ident: $access:ident $element:ident),* $(,)?) => {
        &[$(Bind { name: stringify!($name), access: Access::$access, element: Element::$element }),*]
    };
}

/// A row: the shader's name gives its file, its twin and its bound their names.
macro_rules! kernel {
    ($shader:ident, $module:ident::$twin:ident, $bound:ident,
     consts $consts:expr, binds $binds:expr, lens $lens:expr $(, touched $touched:expr)?, flops $flops:expr,
     grid $grid:expr $(, requires $requires:expr)? $(, fast $fast:path)? $(, subgroup $subgroup:expr)?
     $(, family $family:ident)? $(, block $block:expr)?) => {
        Kernel {
            name: stringify!($shader),
            wgsl: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", stringify!($shader), ".wgsl")),
            twin_name: concat!("cpu::", stringify!($module), "::", stringify!($twin)),
            consts: &$consts,
            binds: $binds,
            lens: $lens,
            touched: kernel!(@touched $lens $(, $touched)?),
            flops: $flops,
            grid: $grid,
            twin: $module::$twin,
            oracle: $module::$twin,
            twin_source: TwinSource {
                path: concat!("src/cpu/", stringify!($module), ".rs"),
                function: stringify!($twin),
                text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cpu/", stringify!($module), ".rs")),
            },
            bound: $module::$bound,
            fast: kernel!(@fast $($fast)?),
            requires: kernel!(@requires $($requires)?),
            subgroup: kernel!(@subgroup $($subgroup)?),
            family: kernel!(@family $($family)?),
            block: kernel!(@block $($block)?),
            trusted: true,
            workgroup_sizes: WorkgroupSizes::new(),
        }
    };
    (@touched $lens:expr) => {
        $lens
    };
    (@touched $lens:expr, $touched:expr) => {
        $touched
    };
    (@requires) => {
        |_| Ok(())
    };
    (@requires $requires:expr) => {
        $requires
    };
    (@subgroup) => {
        None
    };
    (@subgroup $subgroup:expr) => {
        $subgroup
    };
    (@family) => { None };
    (@family $family:ident) => { Some($crate::kernel::Family::$family) };
    (@block) => { None };
    (@block $block:expr) => { Some($block) };
    (@fast) => { None };
    (@fast $fast:path) => { Some($fast) };
}

// Behind the macros, which the modules use.
mod all;
pub mod choice;
mod dense;
mod ends;
pub mod former;
mod images;
mod losses;
mod norm;
mod sizes;
mod steps;
mod updates;

pub use all::{ALL, find};
pub use dense::*;
pub use ends::*;
pub use images::*;
pub use losses::*;
pub use norm::*;
pub use steps::*;
pub use updates::*;
