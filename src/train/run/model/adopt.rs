//! Weights of one network for another, by name and shape.

use super::Model;
use crate::program::params::Arena;

/// The fate of the parameters, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Copied to the new network.
    pub taken: Vec<String>,
    /// Only in the new network, with their initial values.
    pub missing: Vec<String>,
    /// Only in the model.
    pub unused: Vec<String>,
    /// In both, with different shapes. They have their initial values.
    pub reshaped: Vec<String>,
}

impl Model {
    /// Copies parameters into `values`, laid out as `arena`, by name and shape.
    pub fn adopt(&self, arena: &Arena, values: &mut [f32]) -> Adopted {
        let arena_of_model = self.arena();
        let mut adopted = Adopted::default();
        for param in &arena.params {
            let name = param.name.clone();
            match arena_of_model.params.iter().find(|param| param.name == name) {
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
        adopted.unused =
            arena_of_model.params.into_iter().map(|param| param.name).filter(|name| !known(name)).collect();
        adopted
    }
}
