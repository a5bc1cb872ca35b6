//! The text of a custom kernel, read once: what is checked is what trains.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::data::files::{self, hex};
use crate::error::{Error, Result};
use crate::text::shown;

/// The longest text: a longer one is not a shader.
pub const MAX_BYTES: u64 = 1 << 20;

/// The text of a custom kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShaderText {
    /// The file that it came from, which is not read again.
    pub path: PathBuf,
    /// The whole text of the file.
    pub text: String,
}

impl ShaderText {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Usage`] when it can't be read: no regular file, too long or not UTF-8.
    pub fn read(path: &Path) -> Result<ShaderText> {
        let problem = |why: String| {
            Error::Usage(format!("the shader {} can't be read ({why}), so check the path", shown(path)))
        };
        let text = files::read_text(path, MAX_BYTES).map_err(problem)?;
        Ok(ShaderText { path: path.to_owned(), text })
    }

    /// The text without a byte order mark, with which editors on Windows begin a file.
    pub fn wgsl(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(&self.text)
    }

    /// SHA-256 of [`ShaderText::wgsl`], in hexadecimal.
    pub fn digest(&self) -> String {
        hex(Sha256::digest(self.wgsl().as_bytes()))
    }
}
