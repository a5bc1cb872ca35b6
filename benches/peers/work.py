"""What is trained, on what: the networks, and MNIST cut to whole batches.

Everybody reads the same four IDX files from the same folder, so nobody has an
easier job than the next.
"""

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path

# 468 × 128 = 936 × 64: no batch is ever partly full. Compiled graphs want one
# shape; a rest of other size would be dropped by some and padded by others.
ALL = 59_904
TENTH = 5_888
TINY = 256
HELD_OUT = 10_000


@dataclass(frozen=True)
class Network:
    name: str
    layers: str  # in wgrad's words
    batch: int
    optimiser: str  # sgd or adam
    rate: float
    convolutional: bool
    # Half the width of the band that held-out accuracies must lie in, in points around
    # their median: four standard deviations of what seeds alone do (see RECORD.md).
    band: float


NETWORKS = [
    Network("dense", "dense 128, relu, dense 10", 64, "sgd", 0.1, False, 1.2),
    Network("deep", "dense 512, relu, dense 256, relu, dense 10", 128, "adam", 0.001, False, 1.2),
    Network(
        "conv",
        "conv 16 3x3 pad 1, relu, maxpool 2, conv 32 3x3 pad 1, relu, maxpool 2, dense 128, relu, dense 10",
        128, "adam", 0.001, True, 3.0,
    ),
]

PARTS = {
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}


def cut(source: Path, to: Path, train: int, held_out: int) -> Path:
    """Writes the first images of each part to a folder, uncompressed."""
    to.mkdir()
    for name, dimensions in PARTS.items():
        with gzip.open(source / f"{name}.gz", "rb") as file:
            magic, there, *rest = struct.unpack(f">{dimensions + 1}I", file.read(4 * dimensions + 4))
            count = min(train if name.startswith("train") else held_out, there)
            size = count
            for length in rest:
                size *= length
            header = struct.pack(f">{dimensions + 1}I", magic, count, *rest)
            (to / name).write_bytes(header + file.read(size))
    return to
