"""The side of a peer: its data, its network's shape, and the talk with `run`.

A peer is a process that lives through the whole contest and answers lines:
`train N` trains N epochs and says how long each took, `measure` says how many of
the held-out images it takes for what they are. Only one peer works at a time; the
others wait in `readline`, which costs nothing.
"""

import json
import platform
import sys
import time
from pathlib import Path

import numpy as np


def read(folder, name):
    """The elements of an IDX file of bytes."""
    data = Path(folder, name).read_bytes()
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * at : 8 + 4 * at], "big") for at in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def part(folder, name):
    """Images as floats from 0 to 1, N × 28 × 28, and their labels."""
    images = read(folder, f"{name}-images-idx3-ubyte").astype(np.float32) / np.float32(255)
    return images, read(folder, f"{name}-labels-idx1-ubyte").astype(np.int64)


def layers(text):
    """The words of each layer of a network as wgrad writes it: ("conv", 16, 3, 1) and so on."""
    parsed = []
    for words in (layer.split() for layer in text.split(",")):
        match words:
            case ["relu"]:
                parsed.append(("relu",))
            case ["dense", outputs]:
                parsed.append(("dense", int(outputs)))
            case ["conv", outputs, size, "pad", pad]:
                parsed.append(("conv", int(outputs), int(size.split("x")[0]), int(pad)))
            case ["maxpool", size]:
                parsed.append(("maxpool", int(size)))
            case _:
                raise ValueError(f"the peers know no layer “{' '.join(words)}”")
    return parsed


def say(**answer):
    print(json.dumps(answer), flush=True)


def serve(open_peer, about):
    """Answers `run` until it closes the pipe. `open_peer(task)` gives an object with `epoch()`,
    which returns the mean loss when all work is done, and `accuracy()`; `about()` gives the
    library's version and the GPU that it sees."""
    if sys.argv[1:] == ["--versions"]:
        version, gpu = about()
        return say(version=f"{version} under Python {platform.python_version()}", gpu=gpu)
    peer = open_peer(json.loads(sys.argv[1]))
    for line in sys.stdin:
        match line.split():
            case ["train", count]:
                epochs = []
                for _ in range(int(count)):
                    start = time.perf_counter()
                    loss = peer.epoch()
                    epochs.append({"seconds": time.perf_counter() - start, "loss": loss})
                say(epochs=epochs)
            case ["measure"]:
                say(accuracy=peer.accuracy())
            case _:
                raise ValueError(f"no such command: {line}")
