"""Writes augment_values.rs: changed samples by PyTorch's grid_sample and another pcg4d.

    pip install torch==2.15.0 && python tests/golden/augment.py > tests/golden/augment_values.rs

Amounts and pixels are those of augment.rs; all are exact in f32.
"""

import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)

CHANNELS, HEIGHT, WIDTH = 2, 5, 4
SAMPLES = 6
SEED, EPOCH = 5, 2
SHIFT, ROTATE, SCALE, SHEAR = 1.5, 0.75, 0.25, 0.5
BRIGHTNESS, CONTRAST, CUT_OUT = 0.125, 0.5, 2
NORMALISER = [(1 / 64, -0.5), (1 / 128, 0.25)]  # scale and shift of each channel
AUGMENT = 4  # the purpose


def pcg4d(words):
    mask = 2**32 - 1

    def rounds(x, y, z, w):
        x = (x + y * w) & mask
        y = (y + z * x) & mask
        z = (z + x * y) & mask
        w = (w + y * z) & mask
        return x, y, z, w

    mixed = rounds(*((word * 1664525 + 1013904223) & mask for word in words))
    return rounds(*(word ^ (word >> 16) for word in mixed))


def both_ways(word):
    return 2 * (word >> 8) / 2**24 - 1


def changed(sample, image):
    stream = [pcg4d((SEED, AUGMENT | at << 8, EPOCH, sample)) for at in range(3)]
    (right, down, angle, size), (shear, bright, contrast, flip), (cut_x, cut_y, _, _) = stream
    angle = torch.tensor(ROTATE * both_ways(angle))
    turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()]).reshape(2, 2)
    matrix = (1 + SCALE * both_ways(size)) * turn @ torch.tensor([[1, SHEAR * both_ways(shear)], [0.0, 1]])
    middle = torch.tensor([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    moved = SHIFT * torch.tensor([both_ways(right), both_ways(down)])
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    place = (torch.stack([columns, rows], -1) - middle - moved) @ matrix.T + middle
    # A flipped image, seen through the same grid.
    image = image.flip(-1) if flip >> 31 else image
    grid = place / torch.tensor([WIDTH - 1, HEIGHT - 1]) * 2 - 1
    x = functional.grid_sample(image[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True)[0]
    for channel, (scale, shift) in enumerate(NORMALISER):
        x[channel] = (x[channel] * scale + shift) * (1 + CONTRAST * both_ways(contrast))
        x[channel] += BRIGHTNESS * both_ways(bright) * 255 * scale
    left = (cut_x >> 16) * WIDTH // 2**16 - CUT_OUT // 2
    top = (cut_y >> 16) * HEIGHT // 2**16 - CUT_OUT // 2
    x[:, max(top, 0) : max(top + CUT_OUT, 0), max(left, 0) : max(left + CUT_OUT, 0)] = 0
    return x, flip >> 31


def main():
    print("//! Written by augment.py.\n")
    print("/// Samples one after another, as the network gets them.")
    print("#[rustfmt::skip]\npub const CHANGED: &[f64] = &[")
    values = torch.arange(CHANNELS * HEIGHT * WIDTH)
    for sample in range(SAMPLES):
        image = ((sample * 37 + values * 59 + 11) % 256).double().reshape(CHANNELS, HEIGHT, WIDTH)
        x, flipped = changed(sample, image)
        print(f"    // sample {sample}" + (", flipped" if flipped else ""))
        for row in x.reshape(-1, WIDTH).tolist():
            print("    " + " ".join(f"{value!r}," for value in row))
    print("];")


main()
