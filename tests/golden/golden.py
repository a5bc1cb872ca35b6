"""Writes values.rs: what PyTorch makes of the networks in main.rs.

    pip install torch==2.15.0 && python tests/golden/golden.py > tests/golden/values.rs

Inputs follow from formulas that main.rs and ../common/small.rs repeat; all are exact in f32.
"""

import torch
from torch import nn
from torch.nn import functional

torch.set_default_dtype(torch.float64)

CHANNELS, PLANE = 2, 2
INPUTS = CHANNELS * PLANE
CLASSES = 4  # a power of two: 1/CLASSES is exact in f32
BATCH, SAMPLES = 3, 7  # so that the last batch has a single sample
OFFSETS = [3, 17, 40, 51, 8, 29]


def deep():
    return nn.Sequential(
        nn.Linear(INPUTS, 3), nn.LeakyReLU(0.125), nn.Linear(3, 2), nn.Sigmoid(), nn.Linear(2, CLASSES)
    )


def late():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(INPUTS, 3), nn.ReLU(), nn.Linear(3, CLASSES), nn.Tanh(), nn.Softmax(-1)
    )


def fractions(count, factor, offset, modulus, divisor):
    """count numbers between about -1 and 1, exact in f32."""
    return torch.tensor([((at * factor + offset) % modulus - modulus // 2) / divisor for at in range(count)])


def with_weights(network):
    with torch.no_grad():
        for parameter, offset in zip(network.parameters(), OFFSETS):
            parameter.copy_(fractions(parameter.numel(), 29, offset, 61, 32).reshape(parameter.shape))
    return network


def data():
    """Images and labels, last sample first."""
    sample, value = torch.arange(SAMPLES)[:, None], torch.arange(INPUTS)
    pixels = (sample * 37 + value * 59 + 11) % 256
    x = pixels / 64 + 0.25 * (value // PLANE) - 255 / 128
    return x.flip(0), (torch.arange(SAMPLES) * 5 % 7 % CLASSES).flip(0)


def hot(labels):
    return functional.one_hot(labels, CLASSES).double()


# Losses of outputs and labels, by their names here.
LOSSES = {
    "CROSS_ENTROPY": functional.cross_entropy,
    "BCE": lambda z, t, **how: functional.binary_cross_entropy_with_logits(z, hot(t), **how),
    "MSE": lambda z, t, **how: functional.mse_loss(z, hot(t), **how),
}


def emit_layers():
    x = fractions(BATCH * INPUTS, 37, 5, 64, 16).reshape(BATCH, INPUTS)
    z = with_weights(nn.Linear(INPUTS, CLASSES))(x)
    emit("DENSE", z)
    emit("RELU", nn.ReLU()(z))
    emit("LEAKY_RELU", nn.LeakyReLU(0.125)(z))
    emit("SIGMOID", nn.Sigmoid()(z))
    emit("TANH", nn.Tanh()(z))
    emit("SOFTMAX", nn.Softmax(-1)(z))
    emit("DEEP", with_weights(deep())(x))
    emit("LATE", with_weights(late())(x))
    print(f"pub const LEAK: f32 = {nn.LeakyReLU().negative_slope};")


def emit_losses():
    z = fractions(BATCH * CLASSES, 23, 2, 41, 8).reshape(BATCH, CLASSES)
    z[1, 2], z[2, 0] = 40.0, -30.0  # where exp overflows in careless hands
    labels = torch.tensor([3, 1, 0])
    for name, loss in LOSSES.items():
        each = loss(z, labels, reduction="none").reshape(BATCH, -1).mean(-1)
        emit_loss(name, z, each, lambda z: loss(z, labels))
    each = functional.mse_loss(z, hot(labels), reduction="none").sum(-1)
    emit_loss("SQUARED_ERROR", z, each, lambda z: functional.mse_loss(z, hot(labels), reduction="sum") / BATCH)
    weights = torch.tensor([0.5, 2.0, 1.0, 0.75])
    for name, how in {
        "SMOOTHED": dict(label_smoothing=0.125),
        "WEIGHTED": dict(weight=weights),
        "BOTH": dict(weight=weights, label_smoothing=0.125),
    }.items():
        each = functional.cross_entropy(z, labels, reduction="none", **how)
        # Over the samples, not over their weights: ours have a mean of 1 over all the data.
        total = lambda z: functional.cross_entropy(z, labels, reduction="sum", **how) / BATCH
        emit_loss(name, z, each, total)
    emit("HITS", (z.argmax(-1) == labels).double())


def emit_one_output():
    """A single output tells class 1 from class 0."""
    z, labels = torch.tensor([0.75, 0.25, -1.5]), torch.tensor([1.0, 0.0, 1.0])
    bce, mse = functional.binary_cross_entropy_with_logits, functional.mse_loss
    for name, loss in {"ONE_BCE": bce, "ONE_MSE": mse}.items():
        emit_loss(name, z, loss(z, labels, reduction="none"), lambda z: loss(z, labels))
    emit("ONE_BCE_HITS", ((z.sigmoid() > 0.5) == labels).double())
    emit("ONE_MSE_HITS", ((z > 0.5) == labels).double())


def emit_loss(name, z, each, mean):
    z = z.clone().requires_grad_()
    mean(z).backward()
    emit(name, each)
    emit(f"{name}_GRADIENT", z.grad)


def emit_gradients():
    x, labels = data()
    for name, make, loss, rows in [
        ("DEEP_CROSS_ENTROPY", deep, "CROSS_ENTROPY", BATCH),
        ("DEEP_BCE", deep, "BCE", BATCH),
        ("LATE_MSE", late, "MSE", BATCH - 1),
    ]:
        network = with_weights(make())
        LOSSES[loss](network(x[:rows]), labels[:rows]).backward()
        emit_state(f"{name}_GRADIENTS", {key: value.grad for key, value in network.named_parameters()})
        norm = nn.utils.get_total_norm([parameter.grad for parameter in network.parameters()])
        emit(f"{name}_NORM", norm.reshape(1))


def emit_training():
    """Ten steps, which is three epochs and a step more."""
    x, labels = data()
    for name, momentum in [("PLAIN", 0.0), ("MOMENTUM", 0.875)]:
        network = with_weights(deep())
        optimiser = torch.optim.SGD(network.parameters(), lr=0.125, momentum=momentum)
        batches = list(zip(x.split(BATCH), labels.split(BATCH)))
        losses = []
        for step in range(10):
            x_batch, label_batch = batches[step % len(batches)]
            loss = functional.cross_entropy(network(x_batch), label_batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        emit(f"{name}_LOSSES", torch.tensor(losses))
        emit_state(f"{name}_STATE", network.state_dict())


def f32(value):
    """What a constant of a shader is in f64."""
    return torch.tensor(value, dtype=torch.float32).item()


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023)."""

    def __init__(self, params, lr, beta1, beta2, weight_decay):
        super().__init__(params, dict(lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                update = torch.sign(group["beta1"] * m + (1 - group["beta1"]) * w.grad)
                w -= group["lr"] * (update + group["weight_decay"] * w)
                m.copy_(group["beta2"] * m + (1 - group["beta2"]) * w.grad)


class Both:
    """Muon for all matrices but the last, AdamW for the rest."""

    def __init__(self, network, lr, weight_decay):
        matrices = [w for w in network.parameters() if w.dim() > 1]
        rest = [w for w in network.parameters() if w.dim() == 1]
        # The scale as the shader has it, and the decay that it must not touch.
        groups = []
        for w in matrices[:-1]:
            scale = 0.2 * max(w.shape) ** 0.5
            ratio = f32(f32(0.2) * f32(max(w.shape) ** 0.5)) / scale
            groups.append(dict(params=[w], lr=lr * ratio, weight_decay=weight_decay / ratio))
        settings = dict(betas=(f32(0.9), f32(0.95)), eps=f32(1e-10), lr=lr)
        self.all = [
            torch.optim.Muon(
                groups,
                lr=lr,
                momentum=0.875,
                ns_coefficients=(f32(3.4445), f32(-4.775), f32(2.0315)),
                eps=f32(1e-7),
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(
                [dict(params=matrices[-1:], weight_decay=weight_decay), dict(params=rest, weight_decay=0)],
                **settings,
            ),
        ]

    def zero_grad(self):
        for optimiser in self.all:
            optimiser.zero_grad()

    def step(self):
        for optimiser in self.all:
            optimiser.step()


def emit_around():
    """Ten steps of gradient descent with clipped gradients, and with an average of the weights."""
    x, labels = data()
    batches = list(zip(x.split(BATCH), labels.split(BATCH)))
    clips = {
        "CLIP_NORM": lambda weights: nn.utils.clip_grad_norm_(weights, 0.25).item(),
        "CLIP_VALUE": lambda weights: nn.utils.clip_grad_value_(weights, 0.03125),
        "AVERAGE": lambda _: None,
    }
    for name, clip in clips.items():
        network = with_weights(deep())
        optimiser = torch.optim.SGD(network.parameters(), lr=0.125, momentum=0.875)
        averaged = torch.optim.swa_utils.AveragedModel(
            network, avg_fn=lambda a, w, n: a + (1 - min(0.875, (1 + (n - 1)) / (10 + (n - 1)))) * (w - a)
        )
        averaged.update_parameters(network)  # a copy of the first weights; n counts it
        norms = []
        for step in range(10):
            x_batch, label_batch = batches[step % len(batches)]
            optimiser.zero_grad()
            functional.cross_entropy(network(x_batch), label_batch).backward()
            norms.append(clip(network.parameters()))
            optimiser.step()
            averaged.update_parameters(network)
        if name == "CLIP_NORM":
            emit("NORMS", torch.tensor(norms))
        state = averaged.module if name == "AVERAGE" else network
        emit_state(f"{name}_STATE", state.state_dict())


def optimisers():
    """By the text form that main.rs gives us; constants are exact in f32 where that can be."""
    sgd, adam = torch.optim.SGD, torch.optim.Adam
    return {
        "DAMPENED": lambda groups, _: sgd(groups(0.0625), lr=0.125, momentum=0.875, dampening=0.25),
        "NESTEROV": lambda groups, _: sgd(groups(0.0), lr=0.125, momentum=0.875, nesterov=True),
        "ADA_GRAD": lambda groups, _: torch.optim.Adagrad(groups(0.0625), lr=0.125, eps=2**-20),
        "RMS_PROP": lambda groups, _: torch.optim.RMSprop(groups(0.0625), lr=2**-6, alpha=0.875, eps=2**-20),
        "RMS_PROP_MOMENTUM": lambda groups, _: torch.optim.RMSprop(
            groups(0.0625), lr=2**-8, alpha=0.875, eps=2**-20, momentum=0.875
        ),
        "RMS_PROP_CENTRED": lambda groups, _: torch.optim.RMSprop(
            groups(0.0625), lr=2**-8, alpha=0.875, eps=2**-20, momentum=0.75, centered=True
        ),
        "RMS_PROP_CENTRED_ALONE": lambda groups, _: torch.optim.RMSprop(
            groups(0.0), lr=2**-6, alpha=0.875, eps=2**-20, centered=True
        ),
        "ADAM": lambda groups, _: adam(groups(0.0625), lr=2**-5, betas=(0.875, 0.96875), eps=2**-20),
        "ADAM_W": lambda groups, _: torch.optim.AdamW(
            groups(0.0625), lr=2**-5, betas=(0.875, 0.96875), eps=2**-20
        ),
        "LION": lambda groups, _: Lion(groups(0.0625), 2**-6, 0.875, 0.96875, 0.0),
        "MUON": lambda _, network: Both(network, 2**-4, 0.0625),
    }


def emit_optimisers():
    """Ten steps of each; biases do not decay."""
    # Its iterations run in bfloat16, whose rounding nobody else repeats.
    torch.bfloat16 = torch.float64
    x, labels = data()
    batches = list(zip(x.split(BATCH), labels.split(BATCH)))
    for name, make in optimisers().items():
        network = with_weights(deep())

        def groups(decay):
            matrices = [w for w in network.parameters() if w.dim() > 1]
            rest = [w for w in network.parameters() if w.dim() == 1]
            return [dict(params=matrices, weight_decay=decay), dict(params=rest, weight_decay=0.0)]

        optimiser = make(groups, network)
        for step in range(10):
            x_batch, label_batch = batches[step % len(batches)]
            optimiser.zero_grad()
            functional.cross_entropy(network(x_batch), label_batch).backward()
            optimiser.step()
        emit_state(f"{name}_STATE", network.state_dict())


# Rust in lines as rustfmt breaks them.
WIDTH = 110


def emit(name, values):
    kind = "[f64]" if values.dim() == 1 else "[&[f64]]"
    print(broken(f"pub const {name}: &{kind} = ", values.tolist(), ";"))


def emit_state(name, state):
    print(f"pub const {name}: &[Tensor] = &[")
    for key, value in state.items():
        rows = value.reshape(-1, value.shape[-1]).tolist()
        names = f'name: "{key}"', f"shape: &{list(value.shape)}"
        line = f"    Tensor {{ {', '.join(names)}, rows: {literal(rows)} }},"
        if len(line) > WIDTH:
            fields = [f"        {field}," for field in names] + [broken("        rows: ", rows, ",")]
            line = "\n".join(["    Tensor {", *fields, "    },"])
        print(line)
    print("];")


def literal(values):
    """15 digits: the last two of an f64 depend on the order of sums."""
    if isinstance(values, float):
        return repr(float(f"{values:.15g}"))
    return "&[" + ", ".join(map(literal, values)) + "]"


def broken(start, values, end):
    """An array behind its start, one item per line if it takes more than one."""
    line = start + literal(values) + end
    if isinstance(values, float) or len(line) <= WIDTH:
        return line
    indent = " " * (len(start) - len(start.lstrip()))
    items = [broken(indent + "    ", value, ",") for value in values]
    return "\n".join([start + "&[", *items, indent + "]" + end])


print(f"//! Made by `golden.py` with PyTorch {torch.__version__.split('+')[0]} in float64; do not edit.")
print()
print("use super::Tensor;")
print()
emit_layers()
emit_losses()
emit_one_output()
emit_gradients()
emit_training()
emit_optimisers()
emit_around()
