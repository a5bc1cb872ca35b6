// dW = dzᵀ·x   db = Σ over the batch of dz   dz: (B, O)  x: (B, I)  dW: (O, I)  db: (O)
// One workgroup owns a square tile of dW, one invocation a block of 4×4 or 8×8 of it, in registers; the first
// workgroup of each row of tiles also the tile's rows of db.
//
// As weight_gradient_tiled.wgsl, but in whole vec4s and with a choice of tiles, as in
// matmul_vectors.wgsl: I and O must be multiples of 4.

const BATCH: u32 = 64u;
const INPUTS: u32 = 64u;
const OUTPUTS: u32 = 64u;
const ADD: bool = false;             // dW += and db += instead of =
const ROWS: u32 = 32u;               // of a part: a tile
const COLUMNS: u32 = 32u;
const PARTS: u32 = 64u;              // at least the number of tiles

const TILE: u32 = 32u;               // 32 with 4, 64 with 4 or 8, 128 with 8
const BLOCK: u32 = 4u;               // of an invocation
const SIDE: u32 = TILE / BLOCK;      // a workgroup's side in invocations
const INVOCATIONS: u32 = SIDE * SIDE;

// Terms of the sums that one round adds: 256 vec4s of dz, and of x.
const SAMPLES: u32 = 1024u / TILE;
const VECTORS: u32 = 256u;
const FOURS: u32 = TILE / 4u;        // a tile's side in vec4s

// In vec4s.
const WIDTH: u32 = INPUTS / 4u;
const HEIGHT: u32 = OUTPUTS / 4u;
const ACROSS: u32 = (INPUTS + TILE - 1u) / TILE;
const TILES: u32 = (OUTPUTS + TILE - 1u) / TILE * ACROSS;

@group(0) @binding(0) var<storage, read> dz: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dweight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dbias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;          // (PARTS)
@group(0) @binding(5) var<storage, read_write> non_finite: array<u32>;    // (PARTS)

// [sample][output / 4] and [sample][input / 4].
var<workgroup> tile_dz: array<vec4<f32>, VECTORS>;
var<workgroup> tile_x: array<vec4<f32>, VECTORS>;

// The squares and non-finite counts of each invocation.
var<workgroup> squares: array<f32, INVOCATIONS>;
var<workgroup> counts: array<u32, INVOCATIONS>;

// Beyond the edges of dz and x the tile holds zeros, which add nothing.
fn load_dz(sample: u32, four: u32) -> vec4<f32> {
    if sample >= BATCH || four >= HEIGHT {
        return vec4<f32>();
    }
    return dz[sample * HEIGHT + four];
}

fn load_x(sample: u32, four: u32) -> vec4<f32> {
    if sample >= BATCH || four >= WIDTH {
        return vec4<f32>();
    }
    return x[sample * WIDTH + four];
}

// Four rows of sums and four columns of them, one k further; sums[r] is row r.
fn add_products(sums: mat4x4<f32>, left: vec4<f32>, right: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(
        sums[0] + left.x * right,
        sums[1] + left.y * right,
        sums[2] + left.z * right,
        sums[3] + left.w * right,
    );
}

// Stores and watches; beyond the edges neither.
fn store(row: u32, quad: u32, total: vec4<f32>) -> vec4<f32> {
    if row >= OUTPUTS || quad >= WIDTH {
        return vec4<f32>();
    }
    let at = row * WIDTH + quad;
    var gradient = total;
    if ADD {
        gradient += dweight[at];
    }
    dweight[at] = gradient;
    return gradient;
}

fn store_rows(watch: ptr<function, Watch>, row: u32, quad: u32, sums: mat4x4<f32>) {
    watch_four(watch, store(row, quad, sums[0]));
    watch_four(watch, store(row + 1u, quad, sums[1]));
    watch_four(watch, store(row + 2u, quad, sums[2]));
    watch_four(watch, store(row + 3u, quad, sums[3]));
}

fn store_bias(four: u32, total: vec4<f32>) -> vec4<f32> {
    if four >= HEIGHT {
        return vec4<f32>();
    }
    var gradient = total;
    if ADD {
        gradient += dbias[four];
    }
    dbias[four] = gradient;
    return gradient;
}

@compute @workgroup_size(SIDE, SIDE)
fn weight_gradient_vectors(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = workgroup.y * TILE;
    let first_column = workgroup.x * TILE;
    // A block of 8 is in four parts, half a tile apart: neighbours then read neighbouring vec4s.
    var totals = mat4x4<f32>();
    var totals_right = mat4x4<f32>();
    var totals_below = mat4x4<f32>();
    var totals_both = mat4x4<f32>();
    var bias = vec4<f32>();          // of the block's first four rows, and of its last
    var bias_below = vec4<f32>();

    for (var first = 0u; first < BATCH; first += SAMPLES) {
        for (var round = 0u; round < VECTORS / INVOCATIONS; round++) {
            let i = round * INVOCATIONS + index;
            let sample = first + i / FOURS;
            tile_dz[i] = load_dz(sample, first_row / 4u + i % FOURS);
            tile_x[i] = load_x(sample, first_column / 4u + i % FOURS);
        }
        workgroupBarrier();
        for (var sample = 0u; sample < SAMPLES; sample++) {
            let left = tile_dz[sample * FOURS + local.y];
            let right = tile_x[sample * FOURS + local.x];
            totals = add_products(totals, left, right);
            if first_column == 0u {
                bias += left;
            }
            if BLOCK == 8u {
                let left_below = tile_dz[sample * FOURS + local.y + SIDE];
                let right_right = tile_x[sample * FOURS + local.x + SIDE];
                totals_right = add_products(totals_right, left, right_right);
                totals_below = add_products(totals_below, left_below, right);
                totals_both = add_products(totals_both, left_below, right_right);
                if first_column == 0u {
                    bias_below += left_below;
                }
            }
        }
        workgroupBarrier();          // all have read the tiles before they are overwritten
    }

    var watch: Watch;
    let row = first_row + 4u * local.y;
    let quad = first_column / 4u + local.x;
    store_rows(&watch, row, quad, totals);
    if BLOCK == 8u {
        store_rows(&watch, row, quad + SIDE, totals_right);
        store_rows(&watch, row + TILE / 2u, quad, totals_below);
        store_rows(&watch, row + TILE / 2u, quad + SIDE, totals_both);
    }
    if quad == 0u {
        watch_four(&watch, store_bias(row / 4u, bias));
        if BLOCK == 8u {
            watch_four(&watch, store_bias(row / 4u + SIDE, bias_below));
        }
    }

    squares[index] = watch.squares;
    counts[index] = watch.non_finite;
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if index < half {
            squares[index] += squares[index + half];
            counts[index] += counts[index + half];
        }
    }
    if index == 0u {
        // The part of each tile, and 0 in the parts behind the last tile.
        let tile = workgroup.y * ACROSS + workgroup.x;
        sums[tile] = squares[0];
        non_finite[tile] = counts[0];
        for (var part = tile + TILES; part < PARTS; part += TILES) {
            sums[part] = 0.0;
            non_finite[part] = 0u;
        }
    }
}
