//! A Program by hand, y = softmax(A·B), checked by the twins.
//!
//!     cargo run --example program -- [DEVICE]

use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Element, Slice, Step, consts};
use wgrad::internals::program::params::Arena;
use wgrad::internals::program::record::{Gradient, Product, Recorder};
use wgrad::internals::program::{Program, Role, View};
use wgrad::internals::table;
use wgrad::internals::verify::diff::first_divergence;
use wgrad::{Device, Result};

const ROWS: usize = 3;
const INNER: usize = 5;
const COLUMNS: usize = 4;

fn main() -> Result<()> {
    run(&std::env::args().nth(1).unwrap_or("auto".to_owned())).map(|_| ())
}

/// Runs the Program and returns y, row by row.
pub fn run(device: &str) -> Result<Vec<f32>> {
    let device = Device::choose(device)?;
    let (program, [a, b, y]) = record();
    program.validate()?;
    println!("{program}");

    let left: Vec<f32> = (0..a.len).map(|at| at as f32 / 8.0).collect();
    let right: Vec<f32> = (0..b.len).map(|at| 1.0 - at as f32 / 10.0).collect();
    let mut engine = device.open(program.clone())?;
    engine.write(a, Slice::Real(&left))?;
    engine.write(b, Slice::Real(&right))?;
    let section = program.section("demo");
    let ticket = engine.submit(section.clone(), &[Step::default()], y)?;
    let result = engine.wait(ticket)?;
    println!("on {}:", device.name());
    for row in result.chunks(COLUMNS) {
        println!("  {row:.4?}  sum {:.4}", row.iter().sum::<f32>());
    }

    // The same Program through the twins in f64 is the reference.
    let mut twins = CpuEngine::oracle(program.clone())?;
    for (view, values) in [(a, &left), (b, &right)] {
        twins.numbers(view).iter_mut().zip(values).for_each(|(to, from)| *to = f64::from(*from));
    }
    twins.run(section.clone(), &Step::default());
    let reference = twins.numbers(y);
    let error =
        reference.iter().zip(&result).map(|(truth, y)| (truth - f64::from(*y)).abs()).fold(0.0, f64::max);
    println!("the largest difference from the twins in f64 is {error:.1e}");
    assert!(error < 1e-6, "{error}");

    // Each dispatch is compared too, within the bound of f32 arithmetic.
    let divergence = first_divergence(engine.as_mut(), &program, section, &Step::default())?;
    assert!(divergence.is_none(), "a kernel differs from its twin");
    Ok(result)
}

/// The Program and its views.
///
/// They are A (ROWS × INNER), B (INNER × COLUMNS) and y (ROWS × COLUMNS).
fn record() -> (Program, [View; 3]) {
    // Nothing is learned, so the arena of parameters stays empty.
    let mut recorder = Recorder::new(Arena::default(), ROWS);
    let a = recorder.buffer("a", Element::Real, ROWS * INNER, Role::Data);
    let b = recorder.buffer("b", Element::Real, INNER * COLUMNS, Role::Data);
    let y = recorder.buffer("y", Element::Real, ROWS * COLUMNS, Role::Data);
    let z = recorder.scratch("z", Element::Real, ROWS * COLUMNS);
    let product = Product {
        m: ROWS,
        n: COLUMNS,
        k: INNER,
        a,
        transpose_a: false,
        b,
        transpose_b: false,
        bias: None,
        c: Gradient { view: z, add: false },
    };
    recorder.matmul(product, "a times b");
    recorder.dispatch(&table::SOFTMAX, consts! { ROWS: ROWS, COLUMNS: COLUMNS }, vec![z, y], "softmax");
    recorder.section("demo");
    (recorder.program, [a, b, y])
}
