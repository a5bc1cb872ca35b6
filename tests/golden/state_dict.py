"""Prints the outputs in tests/files/foreign.rs: what PyTorch's layers make of the weights in tests/common/state_dict.rs.

    pip install numpy && python tests/golden/state_dict.py

The layers are written out here as PyTorch documents them: nn.Conv2d is a cross-correlation with weights (out, in, rows,
columns), nn.BatchNorm2d in eval mode takes the running mean and variance, nn.Linear is x·Wᵀ + b with W (out, in), and
nn.Flatten keeps the order channels, rows, columns. Weights follow from a formula that state_dict.rs repeats.
"""

import numpy as np


def weights(shape, seed):
    """Multiples of 1/32 below 1/2, exact in every type."""
    count = int(np.prod(shape))
    return np.array([((7 * i + seed) % 23 - 11) / 32 for i in range(count)]).reshape(shape)


def conv(x, weight, bias, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    out, _, rows, columns = weight.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    y = np.zeros((out, height, width))
    for o in range(out):
        for r in range(height):
            for c in range(width):
                y[o, r, c] = bias[o] + (weight[o] * x[:, r : r + rows, c : c + columns]).sum()
    return y


def batch_norm(x, weight, bias, mean, variance, eps=1e-5):
    scale = (weight / np.sqrt(variance + eps))[:, None, None]
    return (x - mean[:, None, None]) * scale + bias[:, None, None]


def max_pool(x, size):
    channels, height, width = x.shape
    return x.reshape(channels, height // size, size, width // size, size).max(axis=(2, 4))


pixels = np.array([(37 * i + 11) % 256 for i in range(3 * 6 * 6)]).reshape(3, 6, 6)
mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
x = (pixels / 255 - mean[:, None, None]) / std[:, None, None]

variance = 1 + np.abs(weights((4,), 6))
x = conv(x, weights((4, 3, 3, 3), 1), weights((4,), 2), padding=1)
x = batch_norm(x, weights((4,), 3), weights((4,), 4), weights((4,), 5), variance)
x = max_pool(np.maximum(x, 0), 2)
x = np.maximum(conv(x, weights((4, 4, 3, 3), 7), weights((4,), 8), padding=0), 0)
x = x.reshape(-1)
x = np.maximum(weights((5, 4), 9) @ x + weights((5,), 10), 0)
print(weights((3, 5), 11) @ x + weights((3,), 12))
