//! Values of other programs' tensors, as f32.

use std::io::{Read, Seek, SeekFrom};

use safetensors::Dtype;

use super::Tensors;
use crate::cpu::f16::from_f16;
use crate::text::{reason, shorten};

/// Bytes that are read at once, a multiple of every size.
const PIECE: usize = 1 << 16;

/// Whether values of a type become f32, if need be by rounding.
pub(crate) fn is_real(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64)
}

impl Tensors {
    /// Reads a tensor of `values.len()` values whose type is a float's.
    ///
    /// # Errors
    /// The end of a sentence: a tensor of another type or length, a value that is not finite as f32.
    pub fn read_real(&mut self, name: &str, values: &mut [f32]) -> Result<(), String> {
        let damaged = self.advice.damaged;
        let unreadable = |error: std::io::Error| format!("can't be read ({}), {damaged}", reason(&error));
        let shown = shorten(name);
        let info = self.header.info(name).ok_or_else(|| format!("has no tensor “{shown}”, {damaged}"))?;
        let (dtype, (start, end)) = (info.dtype, info.data_offsets);
        let width = dtype.bitsize() / 8;
        if !is_real(dtype) || end - start != width * values.len() {
            return Err(format!("has a tensor “{shown}” of another type or length, {damaged}"));
        }
        self.file.seek(SeekFrom::Start(self.start + start as u64)).map_err(unreadable)?;
        let mut piece = vec![0; PIECE.min(end - start)];
        for (at, values) in values.chunks_mut(PIECE / width).enumerate() {
            let bytes = &mut piece[..values.len() * width];
            self.file.read_exact(bytes).map_err(unreadable)?;
            for (index, (bytes, value)) in bytes.chunks_exact(width).zip(&mut *values).enumerate() {
                *value = number(dtype, bytes);
                if !value.is_finite() {
                    let index = at * (PIECE / width) + index;
                    return Err(format!(
                        "has a value at index {index} of “{shown}” that is {value} as F32, and weights are finite numbers, {damaged}"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The number in little-endian bytes.
fn number(dtype: Dtype, bytes: &[u8]) -> f32 {
    match (dtype, bytes) {
        (Dtype::F16, &[a, b]) => from_f16(u16::from_le_bytes([a, b])),
        (Dtype::BF16, &[a, b]) => f32::from_le_bytes([0, 0, a, b]),
        (Dtype::F64, bytes) => bytes.try_into().map_or(f32::NAN, |bytes| f64::from_le_bytes(bytes) as f32),
        (_, bytes) => bytes.try_into().map_or(f32::NAN, f32::from_le_bytes),
    }
}
