//! The exercises, in the order of the lessons.

use super::exercise::Exercise;
use crate::table;

/// All of them.
pub static EXERCISES: &[Exercise] = &[
    Exercise {
        kernel: &table::MATMUL_NAIVE,
        idea: "A prediction is a weighted sum: every input times its weight, added up. Many of them at \
               once, for every sample and every output, are a product of matrices.",
        core: "    for (var k = 0u; k < K; k++) {
        let left = a[select(row * K + k, k * M + row, TRANSPOSE_A)];
        let right = b[select(k * N + column, column * K + k, TRANSPOSE_B)];
        sum += left * right;
    }
",
        task: "Add up the products of row `row` of A and column `column` of B into `sum`.
A is stored row by row as (M, K), or as (K, M) if TRANSPOSE_A;
B as (K, N), or as (N, K) if TRANSPOSE_B.",
        kept: "",
        hints: [
            "A weighted sum of K terms is a loop of K rounds. In round k you need one number of A and one of B.",
            "Element (row, k) of a matrix with K columns is a[row * K + k]. If A is stored the other way \
             round it has M columns and the element is a[k * M + row]. `select(no, yes, condition)` \
             picks one of two indices. The same goes for B with N and K.",
        ],
    },
    Exercise {
        kernel: &table::SQUARED_ERROR,
        idea: "The error says how wrong a prediction is, and its derivative in which direction. Squaring \
               makes it positive and large mistakes count more.",
        core: "        let delta = predictions[start + c] - targets[start + c];
        sum += delta * delta;
        dpredictions[start + c] = FACTOR * SCALE * delta * weight;
",
        task: "Add the squared error of output c to `sum`, and write its derivative, times SCALE and
`weight`, into dpredictions[start + c]. FACTOR is 2, or 1 where a lesson leaves the 2 out.",
        kept: "",
        hints: [
            "Both need the same difference: the prediction minus its target. Lessons call it delta.",
            "The square of delta has the derivative 2 · delta; FACTOR is the 2. `weight` is one \
             over the number of samples, and 0 for rows that only fill up the batch.",
        ],
    },
    Exercise {
        kernel: &table::HOT_COLD,
        idea: "The simplest way to learn: try the error with the weight a step up and a step down, and go \
               where it is smaller. No derivative is needed, but every weight costs two predictions.",
        core: "        let differences = predictions - goals[b * OUTPUTS + output];
        errors += differences * differences;
    }
    var next = positions[own];
    if errors.x < errors.y {
        next += 1.0;
    } else if errors.y < errors.x {
        next -= 1.0;
    }
",
        task: "`predictions` has what this output predicts for sample b with the weight a step up (x) and a
step down (y); its goal is goals[b * OUTPUTS + output]. Add the squared errors of both to `errors`.
Then, after the loop, let `next` be one more than the weight's position if the error is smaller a step
up, and one less if it is smaller a step down. If both are equal the weight stays.",
        kept: "    }
    var next = positions[own];
",
        hints: [
            "A squared error is the difference between prediction and goal, times itself; a vec2 does both ways at once.",
            "predictions - goals[…] are two differences; add their squares to `errors`. Then compare \
             errors.x, the way up, with errors.y, the way down: two ifs, so that equal errors move nothing.",
        ],
    },
    Exercise {
        kernel: &table::ACTIVATION,
        idea: "Without a non-linear function between them, two layers of weighted sums are one. An \
               activation is that function; relu is the simplest: what is below 0 becomes 0.",
        core: "    y[i] = activate(ACTIVATION, LEAK, x[i]);
",
        task: "Write the activation of x[i] into y[i]: begin with RELU, then IDENTITY, LEAKY_RELU (LEAK · x
below 0), SIGMOID and TANH. The constant ACTIVATION says which is wanted.",
        kept: "",
        hints: [
            "relu is max(x, 0). Check it: the first case that fails should then be one of another \
             ACTIVATION (their numbers are in common.wgsl).",
            "`switch ACTIVATION { case RELU: { … } default: { … } }` tells them apart. sigmoid(x) is \
             1 / (1 + exp(-x)), but exp overflows far from 0 and WGSL's tanh is off by 1e-5, so use \
             sigmoid and tanh_by_exp of common.wgsl, or all of them at once.",
        ],
    },
    Exercise {
        kernel: &table::COLUMN_SUMS,
        idea: "Every sample of a batch has its own gradient of a bias, and the bias's gradient is their sum.",
        core: "    for (var row = 0u; row < ROWS; row++) {
        sum += x[row * COLUMNS + column];
    }
",
        task: "Add up column `column` of x, which is stored row by row as (ROWS, COLUMNS), into `sum`.",
        kept: "",
        hints: [
            "One element of every row: a loop of ROWS rounds.",
            "Going one row down means going COLUMNS words on: element (row, column) is x[row * COLUMNS + column].",
        ],
    },
    Exercise {
        kernel: &table::SGD,
        idea: "Gradient descent: every weight goes a small step against its gradient. Weight decay also \
               pulls it towards 0, as if a fraction of the weight were added to its gradient.",
        core: "    let gradient = gradients[i] + decay * parameters[i];
    parameters[i] -= step.learning_rate * gradient;
",
        task: "Add `decay` times the parameter to its gradient, and subtract step.learning_rate times that
from parameters[i]. An element is a vec4: four parameters at once, with the same arithmetic.",
        kept: "",
        hints: [
            "Two lines: first what the gradient becomes with decay, then the step against it.",
            "gradient = gradients[i] + decay · parameter; parameter -= learning_rate · gradient. \
             A number times a vec4 multiplies all four.",
        ],
    },
    Exercise {
        kernel: &table::SOFTMAX_LOSS,
        idea: "To choose among classes, outputs become probabilities (softmax), and the loss is \
               minus the logarithm of the right class's. The gradient is simple: probability minus truth.",
        core: "    var sum = 0.0;
    for (var c = 0u; c < CLASSES; c++) {
        sum += exp(logits[start + c] - maximum);
    }
    // Rows past the end of the data have weight 0.
    let weight = select(0.0, 1.0 / f32(step.samples), FIRST + row < step.samples);
    for (var c = 0u; c < CLASSES; c++) {
        let probability = exp(logits[start + c] - maximum) / sum;
        dlogits[start + c] = (probability - select(0.0, 1.0, c == label)) * weight;
    }
    let at = (step.slot * PITCH + FIRST + row) * 2u;
    metrics[at] = log(sum) - (logits[start + label] - maximum);
",
        task: "1. Add up exp(logit - maximum) over the classes of this row.
2. Write every class's (probability - 1 if it is the label, else 0) / step.samples into
   dlogits[start + c]; rows of the step (FIRST + row) from step.samples on only fill up and get 0.
3. Write the loss, -log of the label's probability, into metrics[at] with the `at` below.",
        kept: "    let at = (step.slot * PITCH + FIRST + row) * 2u;\n",
        hints: [
            "Three things in turn: a sum over the classes, a loop that writes the gradient, one line for \
             the loss. Subtracting the maximum first changes no probability and keeps exp from overflowing.",
            "probability = exp(logit - maximum) / sum. Its -log for the label is \
             log(sum) - (logits[start + label] - maximum), which is exact where the probability \
             rounds to 0. The weight of a row is select(0.0, 1.0 / f32(step.samples), row < step.samples).",
        ],
    },
];
