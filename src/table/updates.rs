//! Rows of the kernel table between the gradients and the next step: norms, clipping, updates, and the EMA of the
//! weights.

use crate::cpu::{adaptive, arena, fast, muon, sgd};
use crate::kernel::{Access, Bind, Consts, Element, Kernel, TwinSource, WorkgroupSizes, flat_grid};

/// The requirements of kernels over whole arenas, which read vec4s.
pub fn whole_fours(k: &Consts) -> Result<(), &'static str> {
    let lengths = k.iter().filter(|(name, _)| ["LENGTH", "DECAYED"].contains(name));
    if lengths.into_iter().all(|(name, _)| k.uint(name).is_multiple_of(4)) {
        Ok(())
    } else {
        Err("LENGTH and DECAYED must be multiples of 4")
    }
}

/// An update of a whole arena; an invocation has four neighbours.
macro_rules! update {
    ($shader:ident, $module:ident::$twin:ident, $bound:ident, consts $consts:expr, binds $binds:expr,
     flops $flops:literal $(, fast $fast:path)?) => {
        kernel!(
            $shader, $module::$twin, $bound,
            consts $consts,
            binds $binds,
            lens |k| vec![k.uint("LENGTH"); $binds.len()],
            flops |k| $flops * k.uint("LENGTH"),
            grid |k| flat_grid(k.uint("LENGTH") / 4),
            requires whole_fours
            $(, fast $fast)?
        )
    };
}

pub static SGD: Kernel = update!(
    sgd, sgd::sgd, sgd_bound,
    consts ["LENGTH", "DECAYED", "DECAY"],
    binds binds![gradients: Read Real, parameters: Update Real],
    flops 2,
    fast fast::updates::sgd_fast
);

pub static SGD_MOMENTUM: Kernel = update!(
    sgd_momentum, sgd::sgd_momentum, sgd_momentum_bound,
    consts ["LENGTH", "DECAYED", "DECAY", "DECOUPLED", "DAMPENING", "NESTEROV"],
    binds binds![gradients: Read Real, parameters: Update Real, velocities: Update Real],
    flops 4,
    fast fast::updates::sgd_momentum_fast
);

pub static ADA_GRAD: Kernel = update!(
    ada_grad, adaptive::ada_grad, ada_grad_bound,
    consts ["LENGTH", "DECAYED", "DECAY", "DECOUPLED", "EPSILON"],
    binds binds![gradients: Read Real, parameters: Update Real, squares: Update Real],
    // Square and sum, root, sum, quotient, product and difference.
    flops 7,
    fast fast::updates::ada_grad_fast
);

pub static RMS_PROP: Kernel = update!(
    rms_prop, adaptive::rms_prop, rms_prop_bound,
    consts ["LENGTH", "DECAYED", "DECAY", "DECOUPLED", "SMOOTHING", "EPSILON"],
    binds binds![gradients: Read Real, parameters: Update Real, squares: Update Real],
    flops 9,
    fast fast::updates::rms_prop_fast
);

pub static RMS_PROP_MOMENTUM: Kernel = update!(
    rms_prop_momentum, adaptive::rms_prop_momentum, rms_prop_momentum_bound,
    consts ["LENGTH", "DECAYED", "DECAY", "DECOUPLED", "SMOOTHING", "EPSILON"],
    binds binds![
        gradients: Read Real, parameters: Update Real, squares: Update Real, velocities: Update Real,
    ],
    flops 11,
    fast fast::updates::rms_prop_momentum_fast
);

pub static RMS_PROP_CENTRED: Kernel = update!(
    rms_prop_centred, adaptive::rms_prop_centred, rms_prop_centred_bound,
    consts ["LENGTH", "DECAYED", "DECAY", "DECOUPLED", "SMOOTHING", "EPSILON"],
    binds binds![
        gradients: Read Real, parameters: Update Real, variance: Update Real, means: Update Real,
        velocities: Update Real,
    ],
    // Variance, mean, root, sum, quotient, velocity, product and difference.
    flops 15,
    fast fast::updates::rms_prop_centred_fast
);

pub static ADAM: Kernel = update!(
    adam, adaptive::adam, adam_bound,
    consts ["LENGTH", "DECAYED", "DECAY", "DECOUPLED", "BETA1", "BETA2", "EPSILON"],
    binds binds![gradients: Read Real, parameters: Update Real, means: Update Real, squares: Update Real],
    // Two moments, two corrections, root, sum, quotient, product and difference.
    flops 14,
    fast fast::updates::adam_fast
);

pub static LION: Kernel = update!(
    lion, adaptive::lion, lion_bound,
    consts ["LENGTH", "DECAYED", "DECAY", "DECOUPLED", "BETA1", "BETA2"],
    binds binds![gradients: Read Real, parameters: Update Real, means: Update Real],
    flops 9,
    fast fast::updates::lion_fast
);

pub static MUON_MOMENTUM: Kernel = update!(
    muon_momentum, muon::muon_momentum, muon_momentum_bound,
    consts ["LENGTH"],
    binds binds![gradients: Read Real, means: Update Real, directions: Write Real],
    flops 5,
    fast fast::arena::muon_momentum_fast
);

pub static FROBENIUS_NORMALISE: Kernel = kernel!(
    frobenius_normalise, muon::frobenius_normalise, frobenius_normalise_bound,
    consts ["LENGTH", "PARTIALS"],
    binds binds![u: Read Real, sums: Read Real, x: Write Real],
    lens |k| vec![k.uint("LENGTH"), k.uint("PARTIALS"), k.uint("LENGTH")],
    flops |k| k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH")),
    fast fast::arena::frobenius_normalise_fast
);

pub static NEWTON_SCHULZ: Kernel = kernel!(
    newton_schulz, muon::newton_schulz, newton_schulz_bound,
    consts ["LENGTH", "P", "Q"],
    binds binds![x: Read Real, y: Update Real],
    lens |k| vec![k.uint("LENGTH"); 2],
    flops |k| 3 * k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH")),
    fast fast::arena::newton_schulz_fast
);

pub static MUON: Kernel = kernel!(
    muon, muon::muon, muon_bound,
    consts ["LENGTH", "SCALE", "DECAY"],
    binds binds![x: Read Real, parameters: Update Real],
    lens |k| vec![k.uint("LENGTH"); 2],
    flops |k| 5 * k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH")),
    fast fast::arena::muon_fast
);

pub static SQUARE_SUMS: Kernel = kernel!(
    square_sums, arena::square_sums, square_sums_bound,
    consts ["LENGTH", "PARTIALS"],
    binds binds![x: Read Real, sums: Write Real],
    lens |k| vec![k.uint("LENGTH"), k.uint("PARTIALS")],
    flops |k| 2 * k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("PARTIALS")),
    fast fast::sums::square_sums_fast
);

pub static CLIP_NORM: Kernel = kernel!(
    clip_norm, arena::clip_norm, clip_norm_bound,
    consts ["LENGTH", "MOST"],
    binds binds![norm: Read Real, gradients: Update Real],
    lens |k| vec![1, k.uint("LENGTH")],
    flops |k| k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH") / 4),
    requires whole_fours,
    fast fast::arena::clip_norm_fast
);

pub static CLIP_VALUE: Kernel = update!(
    clip_value, arena::clip_value, clip_value_bound,
    consts ["LENGTH", "MOST"],
    binds binds![gradients: Update Real],
    flops 2,
    fast fast::arena::clip_value_fast
);

pub static EMA: Kernel = update!(
    ema, arena::ema, ema_bound,
    consts ["LENGTH"],
    binds binds![parameters: Read Real, ema_weights: Update Real],
    flops 3,
    fast fast::arena::ema_fast
);
