"""JAX: a step compiled on its own (“jit”), or an epoch of them in one scan (“scan”).

Images go in as N × H × W × C and products as x·W, the layouts that XLA likes best
on CPUs; both are compiled once, with the parameters' memory given away to the result.
(The path for a GPU has not run yet: RECORD.md has no state from a machine with one.)
"""

import json
import os
import sys

if len(sys.argv) > 1 and sys.argv[1].startswith("{"):
    # Before JAX is imported: afterwards it has chosen.
    os.environ["JAX_PLATFORMS"] = "cuda" if json.loads(sys.argv[1])["device"] == "gpu" else "cpu"
# The other peers keep their data on the GPU while this one works.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np

import peer


def build(text, random):
    """Weights and biases, uniform in ±1/√inputs as wgrad's are, of the layers that have some."""
    parameters, channels, side, features = [], 1, 28, None
    for kind, *numbers in peer.layers(text):
        match kind:
            case "conv":
                outputs, size, pad = numbers
                inputs, shape = channels * size * size, (size, size, channels, outputs)
                channels, side = outputs, side + 2 * pad - size + 1
            case "maxpool":
                side //= numbers[0]
                continue
            case "dense":
                outputs, inputs = numbers[0], features or channels * side * side
                shape, features = (inputs, outputs), numbers[0]
            case _:
                continue
        bound = inputs**-0.5
        parameters.append(tuple(
            random.uniform(-bound, bound, of).astype(np.float32) for of in (shape, (outputs,))
        ))
    return parameters


def forward(text, parameters, x):
    weights = iter(parameters)
    for kind, *numbers in peer.layers(text):
        match kind:
            case "relu":
                x = jax.nn.relu(x)
            case "maxpool":
                n, height, width, channels = x.shape
                size = numbers[0]
                # Its derivative is several times faster than reduce_window's on a CPU.
                x = x.reshape(n, height // size, size, width // size, size, channels).max((2, 4))
            case "conv":
                w, b = next(weights)
                pad = [(numbers[2], numbers[2])] * 2
                order = ("NHWC", "HWIO", "NHWC")
                x = jax.lax.conv_general_dilated(x, w, (1, 1), pad, dimension_numbers=order) + b
            case "dense":
                w, b = next(weights)
                x = x.reshape(len(x), -1) @ w + b
    return x


def sgd(rate):
    def update(parameters, state, gradients):
        return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), state

    return update, lambda parameters: ()


def adam(rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    def update(parameters, state, gradients):
        count, m, v = state
        count = count + 1
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, gradients)
        v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, gradients)
        step, root = rate / (1 - beta1**count), jnp.sqrt(1 - beta2**count)
        parameters = jax.tree.map(
            lambda p, m, v: p - step * m / (jnp.sqrt(v) / root + epsilon), parameters, m, v
        )
        return parameters, (count, m, v)

    def first(parameters):
        return jnp.float32(0), *(jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))

    return update, first


class Jax:
    def __init__(self, task):
        self.batch, self.text = task["batch"], task["layers"]
        self.random = np.random.default_rng(task["seed"])
        self.train, self.held_out = (self.load(task["data"], name) for name in ("train", "t10k"))
        self.parameters = jax.device_put(build(self.text, self.random))
        update, first = {"sgd": sgd, "adam": adam}[task["optimiser"]](task["rate"])
        self.state = first(self.parameters)

        def loss(parameters, x, y):
            logits = forward(self.text, parameters, x)
            return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()

        def step(parameters, state, total, x, y, chosen):
            value, gradients = jax.value_and_grad(loss)(parameters, x[chosen], y[chosen])
            return *update(parameters, state, gradients), total + value

        def scan(parameters, state, total, x, y, order):
            def body(carry, chosen):
                return step(*carry, x, y, chosen), None

            return jax.lax.scan(body, (parameters, state, total), order)[0]

        self.step = jax.jit(step, donate_argnums=(0, 1, 2))
        self.scan = jax.jit(scan, donate_argnums=(0, 1, 2))
        self.predict = jax.jit(lambda parameters, x: forward(self.text, parameters, x).argmax(1))
        self.run = {"scan": self.whole, "jit": self.steps}[task["variant"]]

    def load(self, folder, name):
        images, labels = peer.part(folder, name)
        return jax.device_put(images[..., None]), jax.device_put(labels.astype(np.int32))

    def whole(self, carry, order):
        return self.scan(*carry, *self.train, order)

    def steps(self, carry, order):
        for chosen in order:
            carry = self.step(*carry, *self.train, chosen)
        return carry

    def epoch(self):
        order = self.random.permutation(len(self.train[0])).astype(np.int32).reshape(-1, self.batch)
        carry = self.run((self.parameters, self.state, jnp.float32(0)), order)
        # The sum of the losses is there before the last weights may be.
        self.parameters, self.state, total = jax.block_until_ready(carry)
        return float(total) / len(order)

    def accuracy(self):
        images, labels = self.held_out
        hits = sum(
            int((self.predict(self.parameters, images[at : at + 1000]) == labels[at : at + 1000]).sum())
            for at in range(0, len(labels), 1000)
        )
        return hits / len(labels)


def about():
    try:
        gpu = jax.devices("gpu")[0].device_kind
    except RuntimeError:
        gpu = None
    return f"JAX {jax.__version__}", gpu


peer.serve(Jax, about)
