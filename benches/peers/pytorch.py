"""PyTorch: eager, compiled, or as a CUDA graph, each also with channels last.

The data lie on the device as floats and a batch is picked there by index, which is
several times faster than a DataLoader. Losses are added up on the device and read
once an epoch, since reading each would wait for the device. On a GPU products and
convolutions round as PyTorch's defaults have it. (The paths for a GPU have not run
yet: RECORD.md has no state from a machine with one.)
"""

import torch
from torch import nn
from torch.nn import functional

import peer


def build(text):
    """nn.Linear and nn.Conv2d draw weights as wgrad does: uniform in ±1/√inputs."""
    modules, channels, side, features = [], 1, 28, None
    for kind, *numbers in peer.layers(text):
        match kind:
            case "conv":
                outputs, size, pad = numbers
                modules.append(nn.Conv2d(channels, outputs, size, padding=pad))
                channels, side = outputs, side + 2 * pad - size + 1
            case "maxpool":
                modules.append(nn.MaxPool2d(numbers[0]))
                side //= numbers[0]
            case "relu":
                modules.append(nn.ReLU())
            case "dense":
                if features is None:
                    modules.append(nn.Flatten())
                    features = channels * side * side
                modules.append(nn.Linear(features, numbers[0]))
                features = numbers[0]
    return nn.Sequential(*modules)


class PyTorch:
    def __init__(self, task):
        words = task["variant"].split()
        self.batch = task["batch"]
        self.device = torch.device("cuda" if task["device"] == "gpu" else "cpu")
        torch.manual_seed(task["seed"])
        torch.backends.cudnn.benchmark = True
        layout = torch.channels_last if "channels-last" in words else torch.contiguous_format
        self.model = build(task["layers"]).to(self.device, memory_format=layout)
        self.train, self.held_out = (self.load(task["data"], name, layout) for name in ("train", "t10k"))
        graph = "graph" in words
        # Fused updates are the fastest that PyTorch has on either device; a
        # compiled update is one kernel of its own.
        fused = {"fused": True} if "compiled" not in words else {}
        capturable = {"capturable": True} if graph and task["optimiser"] == "adam" else {}
        kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[task["optimiser"]]
        self.optimiser = kind(self.model.parameters(), lr=task["rate"], **fused, **capturable)
        self.total = torch.zeros((), device=self.device)
        self.loss, self.update = self.loss_of, self.optimiser.step
        if "compiled" in words:
            self.loss, self.update = torch.compile(self.loss), torch.compile(self.update)
        self.run = self.graph() if graph else self.steps

    def load(self, folder, name, layout):
        images, labels = peer.part(folder, name)
        images = torch.from_numpy(images).unsqueeze(1)
        return images.to(self.device, memory_format=layout), torch.from_numpy(labels).to(self.device)

    def loss_of(self, images, labels):
        return functional.cross_entropy(self.model(images), labels)

    def step(self, chosen):
        images, labels = self.train
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(images[chosen], labels[chosen])
        loss.backward()
        self.update()
        self.total += loss.detach()

    def steps(self, order):
        for chosen in order.split(self.batch):
            self.step(chosen)

    def graph(self):
        """One step recorded once and replayed: the epoch's order and the place in it
        lie on the device, so a replay needs nothing from the host."""
        order = torch.zeros(len(self.train[0]), dtype=torch.long, device=self.device)
        at = torch.zeros((), dtype=torch.long, device=self.device)
        reach = torch.arange(self.batch, device=self.device)

        def step():
            self.step(order[at + reach])
            at.add_(self.batch)

        # Recording needs warm libraries and an optimiser that has its state; what
        # these steps do to the weights is undone.
        weights = [weight.detach().clone() for weight in self.model.parameters()]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        recorded = torch.cuda.CUDAGraph()
        self.optimiser.zero_grad(set_to_none=True)
        at.zero_()
        with torch.cuda.graph(recorded):
            step()
        with torch.no_grad():
            for weight, value in zip(self.model.parameters(), weights):
                weight.copy_(value)
            for state in self.optimiser.state.values():
                for value in state.values():
                    if torch.is_tensor(value):
                        value.zero_()
        self.total.zero_()

        def replay(new_order):
            order.copy_(new_order)
            at.zero_()
            for _ in range(len(order) // self.batch):
                recorded.replay()

        return replay

    def epoch(self):
        count = len(self.train[0])
        self.total.zero_()
        self.run(torch.randperm(count, device=self.device))
        # Reading the sum waits for the device: all the epoch's work is done.
        return self.total.item() / (count // self.batch)

    @torch.no_grad()
    def accuracy(self):
        images, labels = self.held_out
        hits = sum(
            (self.model(some).argmax(1) == right).sum().item()
            for some, right in zip(images.split(1000), labels.split(1000))
        )
        return hits / len(labels)


def about():
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return f"PyTorch {torch.__version__}", gpu


peer.serve(PyTorch, about)
