//! The cooperative matrices of an adapter, read from wgpu without the library.

use wgpu::CooperativeScalarType as Scalar;

/// Whether an adapter multiplies f16 tiles of 8 or 16 with sums in f32.
pub fn offers_tiles(adapter: &wgpu::Adapter) -> bool {
    adapter.cooperative_matrix_properties().iter().any(|shape| {
        let of_f16 = (shape.ab_type, shape.cr_type) == (Scalar::F16, Scalar::F32);
        let sizes = [shape.m_size, shape.n_size, shape.k_size];
        of_f16 && (sizes == [8; 3] || sizes == [16; 3])
    })
}
