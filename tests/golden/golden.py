"""Writes values.rs: what JAX and Optax make of the networks in main.rs.

    pip install jax==0.10.2 optax==0.2.8 && python tests/golden/golden.py > tests/golden/values.rs

Inputs follow from formulas that main.rs repeats; all are exact in f32.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)

CLASSES, BATCH = 4, 3  # a power of two: 1/CLASSES is exact in f32
INPUTS = 6


def fractions(count, factor, offset, modulus, divisor):
    """count numbers between about -1 and 1, exact in f32."""
    at = np.arange(count)
    return ((at * factor + offset) % modulus - modulus // 2) / divisor


def weights(shape, offset):
    return jnp.asarray(fractions(int(np.prod(shape)), 29, offset, 61, 32)).reshape(shape)


def emit(name, values):
    flat = [repr(float(value)) for value in np.asarray(values).ravel()]
    print(f"pub const {name}: &[f64] = &[")
    for at in range(0, len(flat), 4):
        print("    " + ", ".join(flat[at : at + 4]) + ",")
    print("];")


def emit_forward():
    x = jnp.asarray(fractions(BATCH * INPUTS, 37, 5, 64, 16)).reshape(BATCH, INPUTS)
    z = x @ weights((CLASSES, INPUTS), 3).T + weights((CLASSES,), 17)
    activations = {
        "DENSE": lambda z: z,
        "RELU": jax.nn.relu,
        "LEAKY_RELU": lambda z: jax.nn.leaky_relu(z, 0.125),
        "SIGMOID": jax.nn.sigmoid,
        "TANH": jnp.tanh,
        "SOFTMAX": jax.nn.softmax,
    }
    for name, activate in activations.items():
        emit(name, activate(z))


def losses():
    """Per-sample losses of logits and labels, each with its name."""
    hot = lambda labels: jax.nn.one_hot(labels, CLASSES, dtype=jnp.float64)
    return {
        "CROSS_ENTROPY": optax.softmax_cross_entropy_with_integer_labels,
        "BCE": lambda z, t: optax.sigmoid_binary_cross_entropy(z, hot(t)).mean(-1),
        "MSE": lambda z, t: optax.squared_error(z, hot(t)).mean(-1),
        "SQUARED_ERROR": lambda z, t: optax.squared_error(z, hot(t)).sum(-1),
    }


def emit_losses():
    z = np.array(fractions(BATCH * CLASSES, 23, 2, 41, 8)).reshape(BATCH, CLASSES)
    z[1, 2], z[2, 0] = 40.0, -30.0  # where exp overflows in careless hands
    labels = jnp.array([3, 1, 0])
    for name, loss in losses().items():
        emit(name, loss(z, labels))
        emit(f"{name}_GRADIENT", jax.grad(lambda z: loss(z, labels).mean())(jnp.asarray(z)))
    emit("HITS", z.argmax(-1) == labels)


def emit_one_output():
    """A single output tells class 1 from class 0."""
    z = jnp.array([0.75, 0.25, -1.5])
    labels = jnp.array([1.0, 0.0, 1.0])
    for name, loss in {"BCE": optax.sigmoid_binary_cross_entropy, "MSE": optax.squared_error}.items():
        emit(f"ONE_{name}", loss(z, labels))
        emit(f"ONE_{name}_GRADIENT", jax.grad(lambda z: loss(z, labels).mean())(z))
    emit("ONE_BCE_HITS", (jax.nn.sigmoid(z) > 0.5) == labels)
    emit("ONE_MSE_HITS", (z > 0.5) == labels)


def emit_training():
    """Three steps of SGD with momentum on two samples each of six: dense 5, tanh, dense 4."""
    samples = 6
    at = np.arange(samples)[:, None]
    pixels = (at * 37 + at // 100 * 3 + np.arange(INPUTS) * 59 + 11) % 256
    x = jnp.asarray(pixels / 64 - 255 / 128)[::-1]
    labels = jnp.asarray(np.arange(samples) * 5 % 7 % CLASSES)[::-1]
    params = [weights((5, INPUTS), 3), weights((5,), 17), weights((CLASSES, 5), 40), weights((CLASSES,), 51)]
    optimiser = optax.sgd(learning_rate=0.125, momentum=0.875)
    state = optimiser.init(params)

    def mean_loss(params, x, labels):
        hidden = jnp.tanh(x @ params[0].T + params[1])
        z = hidden @ params[2].T + params[3]
        return optax.softmax_cross_entropy_with_integer_labels(z, labels).mean()

    for step in range(3):
        rows = slice(2 * step, 2 * step + 2)
        gradients = jax.grad(mean_loss)(params, x[rows], labels[rows])
        updates, state = optimiser.update(gradients, state)
        params = optax.apply_updates(params, updates)
        emit(f"AFTER_STEP_{step + 1}", jnp.concatenate([param.ravel() for param in params]))


print(f"//! Made by `golden.py` with JAX {jax.__version__} and Optax {optax.__version__} in float64; do not edit.")
print()
emit_forward()
emit_losses()
emit_one_output()
emit_training()
