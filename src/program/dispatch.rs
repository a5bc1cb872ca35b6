//! A dispatch: one kernel over views.

use super::buffer::View;
use crate::kernel::{Consts, Kernel};

/// One kernel over views, with its constants.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Its constants, in the order of [`Kernel::consts`].
    pub consts: Consts,
    /// One view per binding, in binding order.
    pub args: Vec<View>,
    /// The layer that it belongs to, such as `2 dense`.
    ///
    /// Empty without a layer.
    pub layer: String,
    /// Its purpose, such as `weighted sums`.
    pub what: String,
    /// Its gate, if it has one: an index into [`Program::gates`](super::Program::gates).
    ///
    /// A gate is three words, the workgroups along x, y and z. While a kernel has set them to 0, the dispatch does
    /// nothing.
    pub gate: Option<usize>,
}

impl Dispatch {
    /// A dispatch without a layer or a gate.
    pub fn new(
        kernel: &'static Kernel,
        consts: Consts,
        args: Vec<View>,
        what: impl Into<String>,
    ) -> Dispatch {
        Dispatch { kernel, consts, args, layer: String::new(), what: what.into(), gate: None }
    }

    /// The same dispatch, of this layer.
    pub fn of_layer(self, layer: &str) -> Dispatch {
        Dispatch { layer: layer.to_owned(), ..self }
    }

    /// Layer and purpose, such as `2 dense: weighted sums`.
    pub fn label(&self) -> String {
        match self.layer.as_str() {
            "" => self.what.clone(),
            layer => format!("{layer}: {}", self.what),
        }
    }

    /// The view bound to this binding.
    ///
    /// # Panics
    /// When the kernel has no such binding.
    pub fn view(&self, bind: &str) -> View {
        self.args[self.position(bind)]
    }

    /// Binds another view.
    ///
    /// # Panics
    /// When the kernel has no such binding.
    pub fn bind(&mut self, bind: &str, view: View) {
        let at = self.position(bind);
        self.args[at] = view;
    }

    /// Binds `to` wherever `from` is bound.
    pub fn rebind(&mut self, from: View, to: View) {
        self.args.iter_mut().filter(|view| **view == from).for_each(|view| *view = to);
    }

    fn position(&self, bind: &str) -> usize {
        let found = self.kernel.binds.iter().position(|known| known.name == bind);
        found.unwrap_or_else(|| panic!("{} has no binding {bind}", self.kernel.name))
    }

    /// The views that it reads; those that it adds to are among them.
    pub fn reads(&self) -> impl Iterator<Item = View> + '_ {
        self.args
            .iter()
            .zip(self.kernel.binds)
            .filter(|(_, bind)| bind.access.reads(&self.consts))
            .map(|(view, _)| *view)
    }

    /// The views that it writes.
    pub fn writes(&self) -> impl Iterator<Item = View> + '_ {
        self.args
            .iter()
            .zip(self.kernel.binds)
            .filter(|(_, bind)| bind.access.writes())
            .map(|(view, _)| *view)
    }
}
