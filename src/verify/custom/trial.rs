//! Runs a custom kernel on every case against the twin, and reports the first error.

use wgpu::Adapter;

use super::{CustomKernel, inputs, inputs::scalars};
use crate::engine::adapter::Device;
use crate::engine::checks::Checks;
use crate::engine::gpu::GpuEngine;
use crate::error::{DeviceFault, Error, Result};
use crate::kernel::Kernel;
use crate::verify::cases::{self, Case, KernelVerdict, Problem, Wrong, cases_on};
use crate::verify::diff::ComparedElement;

/// The result of a custom kernel on all cases.
#[derive(Debug)]
pub struct Trial {
    pub verdict: KernelVerdict,
    /// Whether the check could detect writes past the end of a buffer.
    pub saw_outside: bool,
}

/// Runs a custom kernel on every case and compares it with the twin.
///
/// Outputs are poisoned and lie between guard words. Bindings include the guard words behind them, so that a write past
/// the end shows there. A shader that uses `arrayLength` gets bindings of the right length instead.
///
/// # Errors
/// [`Error::Check`] when the device is lost, else as [`cases::check`].
pub fn trial(
    custom: &CustomKernel,
    adapter: &Adapter,
    observe: &mut dyn FnMut(usize, &Case),
) -> Result<Trial> {
    let saw_outside = !custom.shader.asks_length;
    let checks = if saw_outside { Checks::Wide } else { Checks::On };
    let mut make_engine = |program| -> Result<Box<dyn crate::engine::Engine>> {
        Ok(Box::new(GpuEngine::new(adapter, program, checks)?))
    };
    let cases = cases_on(custom.kernel, &Device::Gpu(adapter.clone()));
    match cases::watch(custom.kernel, &cases, &mut make_engine, observe) {
        Ok(verdict) => Ok(Trial { verdict, saw_outside }),
        Err(Error::Device(DeviceFault::Lost, problem)) => {
            Err(Error::Check(format!("{problem}; most likely the shader takes too long or loops for ever")))
        }
        Err(error) => Err(error),
    }
}

impl Trial {
    /// The first wrong element, in several lines: its value, the expected one, and the inputs.
    pub fn report(&self) -> Option<String> {
        let wrong = self.verdict.wrong.as_ref()?;
        let KernelVerdict { cases, failed, .. } = self.verdict;
        let mut lines = vec![format!("wrong in {failed} of {cases} cases; the first is case {}:", wrong.at)];
        lines.push(format!("  {}", wrong.case.consts));
        match &wrong.problem {
            Problem::Element(element) => lines.extend(about(wrong, element)),
            Problem::Outside { binding, word } => lines.push(outside(wrong, binding, *word)),
        }
        lines.push(format!("  the rule: {}", rule(wrong.kernel)));
        Some(lines.join("\n"))
    }
}

/// The equation that the twin computes: the first line of the built-in shader.
fn rule(kernel: &Kernel) -> &'static str {
    let ours = crate::table::find(kernel.name).map_or(kernel.wgsl, |ours| ours.wgsl);
    ours.lines().next().unwrap_or_default().trim_start_matches("// ")
}

fn about(wrong: &Wrong, element: &ComparedElement) -> Vec<String> {
    let ComparedElement { binding, index, result, truth, bound, untouched } = element;
    let got = match () {
        () if *untouched => "was never written".to_owned(),
        () => format!("is {}", number(*result)),
    };
    let (expected, allowed) = (number(*truth), number(*bound));
    let mut lines = vec![format!("  {binding}[{index}] {got}, expected {expected} (give or take {allowed})")];
    let mut from: Vec<String> = Vec::new();
    for input in inputs(wrong, binding, *index) {
        let values = input.values.iter();
        let values: Vec<String> =
            values.map(|(word, value)| format!("{}[{word}] = {}", input.binding, number(*value))).collect();
        let more = if input.more { ", …" } else { "" };
        from.push(format!("{}{more}", values.join(", ")));
    }
    let scalars = scalars(wrong, binding, *index);
    from.extend(scalars.iter().map(|(name, value)| format!("step.{name} = {}", number((*value).into()))));
    for (at, values) in from.iter().enumerate() {
        let lead = if at == 0 { "  from" } else { "      " };
        lines.push(format!("{lead} {values}"));
    }
    lines
}

fn outside(wrong: &Wrong, binding: &str, word: isize) -> String {
    let lens = (wrong.kernel.lens)(&wrong.case.consts);
    let at = wrong.kernel.binds.iter().position(|bind| bind.name == binding).unwrap_or_default();
    format!(
        "  {binding}[{word}] was written, but {binding} ends at {}: an invocation past the end must return",
        lens[at] - 1
    )
}

/// A number with the digits of f32.
fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        return "not a number".to_owned();
    }
    if value != 0.0 && !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.7}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_written_as_precisely_as_f32_has_them() {
        let written = [0.0, 0.5, -1.25, 3.0, 0.1234567, 1e-9, 2.5e8, f64::NAN].map(number);
        let expected = ["0", "0.5", "-1.25", "3", "0.1234567", "1.000e-9", "2.500e8", "not a number"];
        assert_eq!(written, expected);
    }
}
