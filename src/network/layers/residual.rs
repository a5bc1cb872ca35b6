//! y = body(x) + shortcut(x)
//!
//! The shortcut is x itself where the body keeps its shape. Otherwise it is a 1×1 convolution without a bias, with the
//! stride that gives the image its new size: K. He and others, “Deep Residual Learning for Image Recognition”, CVPR
//! 2016, option B. In a saved file the body's layers are `N.body.0`, `N.body.1` … and that convolution is `N.shortcut`.

use std::fmt;

use super::activation::record_backward;
use super::conv::Conv;
use super::words::Pair;
use super::{Residual, chain};
use crate::kernel::Activation;
use crate::kernel::consts;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;

impl fmt::Display for Residual {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "residual {{ {} }}", chain::text(&self.body))
    }
}

impl Residual {
    /// Reads the text behind the word `residual`.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn parse(text: &str) -> Result<Residual, String> {
        let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let inner = inner
            .ok_or("residual takes its layers in braces, as in “residual { conv 16 3x3 pad 1, relu }”")?;
        let body = chain::parse(inner).map_err(|problem| format!("in its body, {problem}"))?;
        Ok(Residual { body })
    }

    /// The output shape of the body for one sample of shape `input`.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn output(&self, input: &Shape) -> Result<Shape, String> {
        let shapes = chain::shapes(&self.body, input).map_err(|problem| format!("in its body, {problem}"))?;
        let output = shapes.last().copied().unwrap_or(*input);
        self.shortcut(input, &output)?;
        Ok(output)
    }

    /// The convolution of the shortcut; none where the shortcut is x itself.
    fn shortcut(&self, input: &Shape, output: &Shape) -> Result<Option<Conv>, String> {
        if input == output {
            return Ok(None);
        }
        let (from, to) = (*input, *output);
        let stride = Pair { y: from.height.div_ceil(to.height), x: from.width.div_ceil(to.width) };
        let conv = Conv { stride, bias: false, ..Conv::new(to.channels, Pair::both(1)) };
        let fits = conv
            .geometry(1, from)
            .is_ok_and(|sizes| (sizes.rows.out, sizes.columns.out) == (to.height, to.width));
        if fits && input.flat == output.flat {
            Ok(Some(conv))
        } else {
            Err(format!(
                "its body makes {output} of {input}, but no 1×1 convolution does: keep the size of the image, \
                 or divide it by a whole number (rounded up)"
            ))
        }
    }

    /// Declares the parameters of the body, then those of the shortcut.
    pub fn declare(&self, path: &str, input: &Shape, arena: &mut ArenaBuilder) {
        let Ok(output) = self.output(input) else { return };
        chain::declare(&self.body, &format!("{path}.body."), input, arena);
        if let Ok(Some(conv)) = self.shortcut(input, &output) {
            conv.declare(&format!("{path}.shortcut"), input, arena);
        }
    }

    /// Multiply-adds of the forward pass of one sample.
    pub fn multiply_adds(&self, input: &Shape) -> usize {
        let (Ok(shapes), Ok(output)) = (chain::shapes(&self.body, input), self.output(input)) else {
            return 0;
        };
        let body = self.body.iter().zip(&shapes).map(|(layer, input)| layer.multiply_adds(input));
        let shortcut = self.shortcut(input, &output).ok().flatten();
        body.sum::<usize>() + shortcut.map_or(0, |conv| conv.multiply_adds(input))
    }

    /// Records the forward pass, and leaves the backward pass on the tape.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor, input: &Shape, path: &str) -> Tensor {
        let output = self.output(input).expect("shapes were checked");
        let named = recorder.layer_name();
        let body = chain::record(&self.body, recorder, x, input, &format!("{path}.body."), |_, _| {});
        let shortcut = match self.shortcut(input, &output).expect("shapes were checked") {
            None => x,
            Some(conv) => {
                recorder.enter(format!("{path}.shortcut conv"));
                conv.record(recorder, x, &format!("{path}.shortcut"))
            }
        };
        recorder.enter(named);
        let y = recorder.tensor("y", body.shape);
        let y = Tensor { needs_gradient: body.needs_gradient || shortcut.needs_gradient, ..y };
        let (kind, leak) = Activation::Identity.consts();
        let consts = consts! { LENGTH: y.value.len, ACTIVATION: kind, LEAK: leak };
        recorder.dispatch(&table::ADD, consts, vec![body.value, shortcut.value, y.value], "sum");

        if !y.needs_gradient {
            return y;
        }
        // dy is the gradient of both terms.
        recorder.on_backward(move |recorder| {
            let dy = recorder.written_gradient(y);
            for part in [body, shortcut].into_iter().filter(|part| part.needs_gradient) {
                let gradient = recorder.gradient(part);
                record_backward(recorder, Activation::Identity, part.value, dy, gradient);
            }
        });
        y
    }
}
