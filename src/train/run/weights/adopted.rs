//! The fate of the parameters when weights are taken over.

/// The fate of the parameters, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Taken over.
    pub taken: Vec<String>,
    /// In the new network alone: they keep their first values.
    pub missing: Vec<String>,
    /// In the file alone.
    pub unused: Vec<String>,
    /// In both, with other shapes: they keep their first values.
    pub reshaped: Vec<String>,
    /// Taken over from a tensor of another name: that name, and the parameter's.
    pub renamed: Vec<(String, String)>,
    /// The types of values that became F32, such as F16.
    pub converted: Vec<String>,
}
