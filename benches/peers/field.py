"""The peers that are installed, their devices, and the command of each."""

import json
import subprocess
from pathlib import Path

import machine
from contest import Entry, Peer, Wgrad

HERE = Path(__file__).resolve().parent
# Importing a library from a cold disk.
PATIENCE = 120


class Field:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.adapters = machine.adapters(options.wgrad)
        self.versions, self.left_out = [], []
        self.devices = self.choose()
        self.has_gpu = any(kind not in ("cpu", "software") for _, kind in self.devices)
        install = f"{Path(options.python).name} -m pip install -r benches/peers/requirements.txt"
        build = "cargo build --release --manifest-path benches/peers/burn/Cargo.toml"
        self.pytorch = self.probe("PyTorch", [options.python, HERE / "pytorch.py"], install)
        self.jax = self.probe("JAX", [options.python, HERE / "jax_peer.py"], install)
        self.burn = self.probe("burn", [options.burn], build)

    def choose(self):
        """The chosen devices, each as the name that wgrad takes and the kind of its adapter."""
        if self.options.devices is None:
            kinds = [adapter["kind"] for adapter in self.adapters]
            software = [one["name"].split()[0] for one in self.adapters if one["kind"] == "software"]
            wanted = ["cpu", *(["gpu"] if set(kinds) - {"software"} else []), *software]
        else:
            wanted = self.options.devices.split(",")
        return [(name, kind) for name in wanted if (kind := self.kind(name))]

    def kind(self, name):
        if name == "cpu":
            return name
        for adapter in self.adapters:
            if name == "gpu" and adapter["kind"] != "software" or name.lower() in adapter["name"].lower():
                return adapter["kind"]
        there = ", ".join(adapter["name"] for adapter in self.adapters) or "none"
        self.left_out.append(f"the device {name}: no such adapter answers (there are: {there})")
        return None

    def probe(self, name, command, how):
        """What a peer says of itself, or None if it isn't there. Its files are in memory
        afterwards, so that the first network's start is no slower than the others'."""
        wanted = (self.options.peers or name).lower().split(",")
        if not any(word in name.lower() for word in wanted):
            return None
        try:
            done = subprocess.run([*command, "--versions"], capture_output=True, text=True, timeout=PATIENCE)
        except FileNotFoundError:
            why = "is not built" if name == "burn" else f"can't be asked, as there is no {command[0]}"
        except subprocess.TimeoutExpired:
            why = f"did not give its version within {PATIENCE} s"
        else:
            if done.returncode == 0:
                known = json.loads(done.stdout)
                self.versions.append(known["version"])
                return {"command": command, **known}
            why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        self.left_out.append(f"{name}: {why}; get it with {how}")
        return None

    def contestants(self, network, data):
        return [one for device in self.devices for one in self.on(network, data, *device)]

    def on(self, network, data, name, kind):
        """The contestants that can train this network on this device, wgrad first."""
        task = {
            "layers": network.layers, "batch": network.batch, "optimiser": network.optimiser,
            "rate": network.rate, "data": str(data), "seed": 0, "adapter": kind,
            "device": "cpu" if kind == "cpu" else "gpu",
        }

        def peer(known, program, variant):
            command = [*known["command"], json.dumps({**task, "variant": variant})]
            return Peer(Entry(network.name, name, program), command, self.options.limit)

        found = [self.wgrad(network, data, name)]
        # Neither PyTorch nor JAX runs on a software adapter, nor on a GPU that is not NVIDIA's.
        if kind != "software":
            if self.usable(self.pytorch, "PyTorch", kind):
                found += [peer(self.pytorch, f"PyTorch {words}", words) for words in variants(network, kind)]
            if self.usable(self.jax, "JAX", kind):
                # On CPUs XLA runs a convolution within a loop on one core, ten times slower.
                ways = ["jit"] if network.convolutional and kind == "cpu" else ["scan", "jit"]
                found += [peer(self.jax, f"JAX {words}", words) for words in ways]
        if self.burn:
            found.append(peer(self.burn, "burn flex" if kind == "cpu" else "burn wgpu", ""))
        return found

    def usable(self, known, program, kind):
        if known is None or kind == "cpu":
            return known is not None
        line = f"{program} on the GPU: this installation sees none"
        if known.get("gpu") is None and line not in self.left_out:
            self.left_out.append(line)
        return known.get("gpu") is not None

    def wgrad(self, network, data, device):
        entry = Entry(network.name, device, "wgrad")
        command = [
            self.options.wgrad, "train", data, "--device", device, "--network", network.layers,
            "--batch-size", network.batch, "--optimiser", network.optimiser,
            "--learning-rate", network.rate, "--normalise", "unit", "--seed", 0,
        ]
        return Wgrad(entry, command, self.options.limit, self.folder, network.batch)


def variants(network, kind):
    """PyTorch's ways to train a network. Channels last is for images, a graph for a GPU."""
    ways = ["eager", "compiled"] + (["graph"] if kind != "cpu" else [])
    if not network.convolutional:
        return ways
    return ["eager", *(f"{way} channels-last" for way in ways)]
