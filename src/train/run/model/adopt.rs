//! Weights of one network for another: those of the same name and shape.

use super::Model;
use crate::program::params::Arena;

/// The fate of the parameters, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Taken over.
    pub taken: Vec<String>,
    /// In the new network alone: they keep their first values.
    pub missing: Vec<String>,
    /// In the model alone.
    pub unused: Vec<String>,
    /// In both, with other shapes: they keep their first values.
    pub reshaped: Vec<String>,
}

impl Model {
    /// Writes those parameters of the model that `arena` has as well, by name and shape, into
    /// `values`, which are laid out as `arena`.
    pub fn adopt(&self, arena: &Arena, values: &mut [f32]) -> Adopted {
        let own = self.arena();
        let mut adopted = Adopted::default();
        for param in &arena.params {
            let name = param.name.clone();
            match own.params.iter().find(|own| own.name == name) {
                None => adopted.missing.push(name),
                Some(found) if found.shape != param.shape => adopted.reshaped.push(name),
                Some(found) => {
                    let from = &self.parameters[found.start..][..found.len()];
                    values[param.start..][..param.len()].copy_from_slice(from);
                    adopted.taken.push(name);
                }
            }
        }
        let known = |name: &String| arena.params.iter().any(|param| param.name == *name);
        adopted.unused = own.params.into_iter().map(|param| param.name).filter(|name| !known(name)).collect();
        adopted
    }
}
