"""The peer of `cargo bench --bench small_sets`: a plain CNN in PyTorch.

    cargo bench --bench small_sets -- --keep /tmp/sets
    python3 benches/peers/small_sets.py /tmp/sets/shapes-200-0 --seconds 20

It has convolutions, pooling and relu alone, with channels as in wgrad's default for 48×48 pictures, and trains for as
long as it is told: the seconds that wgrad took. `--head flatten` has a dense layer on all values of the last maps in place
of their means. Which of the two is better depends on the pictures.
"""

import argparse
import pathlib
import time

import numpy
import torch
from PIL import Image
from torch import nn
from torch.nn import functional


def load(folder):
    classes = sorted(place.name for place in folder.iterdir())
    files = [(file, label) for label, name in enumerate(classes) for file in sorted((folder / name).iterdir())]
    pixels = numpy.stack([numpy.asarray(Image.open(file).convert("RGB")) for file, _ in files])
    pixels = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return pixels, torch.tensor([label for _, label in files]), len(classes)


def network(classes, head):
    modules, inputs = [], 3
    for outputs in (16, 32, 64, 64):
        modules += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        inputs = outputs
    pool = [nn.AdaptiveAvgPool2d(1)] if head == "average" else []
    return nn.Sequential(*modules, *pool, nn.Flatten(), nn.LazyLinear(classes))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--head", choices=("average", "flatten"), default="average")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    images, labels, classes = load(options.data / "train")
    held_out, answers, _ = load(options.data / "test")
    mean = images.mean((0, 2, 3), keepdim=True)
    deviation = images.std((0, 2, 3), keepdim=True)
    images, held_out = (images - mean) / deviation, (held_out - mean) / deviation
    model = network(classes, options.head)
    model(images[:1])
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    began, epochs = time.monotonic(), 0
    while time.monotonic() - began < options.seconds:
        for few in torch.randperm(len(images)).split(options.batch):
            optimiser.zero_grad()
            functional.cross_entropy(model(images[few]), labels[few]).backward()
            optimiser.step()
        epochs += 1
    model.eval()
    with torch.no_grad():
        accuracy = (model(held_out).argmax(1) == answers).float().mean().item()
    print(f"{options.data.name}  {options.head}  {100 * accuracy:.1f} %  {epochs} epochs  {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
