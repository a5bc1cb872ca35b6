"""Writes layers_values.rs: what PyTorch makes of the networks in layers.rs.

    pip install torch==2.15.0 && python tests/golden/layers.py > tests/golden/layers_values.rs

Inputs follow from formulas that layers.rs repeats; all are exact in f32.
"""

import torch
from torch import nn
from torch.nn import functional

torch.set_default_dtype(torch.float64)

# PyTorch's defaults as f32 has them.
EPS, MOMENTUM = (float(torch.tensor(value, dtype=torch.float32)) for value in (1e-5, 0.1))

BATCH, CHANNELS, HEIGHT, WIDTH, CLASSES = 3, 2, 5, 6, 4


class Residual(nn.Module):
    """The sum of what a body makes of x and of x itself, or of a 1×1 convolution of it."""

    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        if shortcut is not None:
            self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + (self.shortcut(x) if hasattr(self, "shortcut") else x)


NETWORKS = {
    "CONV": lambda: nn.Sequential(
        nn.Conv2d(2, 3, (2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), nn.Flatten(), nn.Linear(18, 4)
    ),
    "GROUPS": lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, groups=2, bias=False),
        nn.ReLU(),
        nn.Conv2d(4, 4, 2, groups=4),
        nn.Flatten(),
        nn.Linear(80, 4),
    ),
    "MAXIMUM": lambda: nn.Sequential(
        nn.Conv2d(2, 2, 3, padding=1), nn.MaxPool2d(3, stride=2, padding=1), nn.Flatten(), nn.Linear(18, 4)
    ),
    "MEAN": lambda: nn.Sequential(
        nn.Conv2d(2, 2, 2),
        nn.Tanh(),
        nn.AvgPool2d(2, stride=1, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 4),
    ),
    "BATCH_NORM": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 2),
        nn.BatchNorm2d(3, EPS, MOMENTUM),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(60, 5),
        nn.BatchNorm1d(5, momentum=0.25, eps=0.5),
        nn.Linear(5, 4),
    ),
    "LAYER_NORM": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 2),
        nn.LayerNorm([3, 4, 5], EPS),
        nn.GELU(),
        nn.Flatten(),
        nn.Linear(60, 5),
        nn.LayerNorm(5, eps=0.5),
        nn.SiLU(),
        nn.Linear(5, 4),
    ),
    "RESIDUAL": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 2),
        Residual(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1))),
        nn.ReLU(),
        Residual(
            nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Tanh()),
            nn.Conv2d(3, 4, 1, stride=2, bias=False),
        ),
        nn.Flatten(),
        nn.Linear(24, 4),
    ),
}


def fractions(count, factor, offset, modulus, divisor):
    """count numbers between about -1 and 1, exact in f32."""
    return torch.tensor([((at * factor + offset) % modulus - modulus // 2) / divisor for at in range(count)])


def emit(name, values):
    numbers = ", ".join(repr(float(f"{value:.15g}")) for value in values.flatten().tolist())
    print(f"pub const {name}: &[f64] = &[{numbers}];")


print(f"//! Made by `layers.py` with PyTorch {torch.__version__.split('+')[0]} in float64; do not edit.")
print("\nuse super::Tensor;\n")
for name, make in NETWORKS.items():
    network = make()
    with torch.no_grad():
        for at, parameter in enumerate(network.parameters()):
            parameter.copy_(fractions(parameter.numel(), 29, 3 + 14 * at, 61, 64).reshape(parameter.shape))
    x = fractions(BATCH * CHANNELS * HEIGHT * WIDTH, 37, 5, 64, 32).reshape(BATCH, CHANNELS, HEIGHT, WIDTH)
    # What the network predicts before the step, and what the step leaves.
    with torch.no_grad():
        emit(f"{name}_PREDICTIONS", network.eval()(x))
    loss = functional.cross_entropy(network.train()(x), torch.tensor([2, 0, 3]))
    emit(f"{name}_LOSS", loss.detach().reshape(1))
    loss.backward()
    for key, value in network.named_parameters():
        emit(f"{name}_D_{key.replace('.', '_').upper()}", value.grad)
    for key, value in network.named_buffers():
        if not key.endswith("num_batches_tracked"):
            emit(f"{name}_{key.replace('.', '_').upper()}", value)
    print(f"pub const {name}_STATE: &[Tensor] = &[")
    learned = dict(network.named_parameters())
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            constant = f"{name}_{'D_' if key in learned else ''}{key.replace('.', '_').upper()}"
            print(f'    Tensor {{ name: "{key}", shape: &{list(value.shape)}, values: {constant} }},')
    print("];")
