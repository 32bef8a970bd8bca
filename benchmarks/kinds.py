"""Networks that hold, between them, every kind of layer that can be taken apart.

Their numbers are random, those of normalisations too, so that no scale is 1 and no shift 0. Each is
a handful of parallel paths that meet in one vector: so what comes back to a path has not gone
through twenty functions that level off. Where a path begins with a layer that is looked at, a
function stands before it: so what comes back there comes from that layer alone. A test holds the
list against what `explain` recognises.
"""

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 10
WIDTH = 8  # units of a path


class Convolutions(nn.Module):
    """Borders of every mode, strides, dilation, groups, depthwise, 1 × 1, even and flat kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTH, 3, padding=1)
        paths = {
            "zeros": nn.Conv2d(WIDTH, WIDTH, 3, padding=2),
            "reflect": nn.Conv2d(WIDTH, WIDTH, 5, padding=2, padding_mode="reflect"),
            "replicate": nn.Conv2d(WIDTH, WIDTH, 3, padding=2, padding_mode="replicate"),
            "circular": nn.Conv2d(WIDTH, WIDTH, 3, padding=1, padding_mode="circular"),
            "same": nn.Conv2d(WIDTH, WIDTH, 4, padding="same"),
            "stride": nn.Conv2d(WIDTH, WIDTH, 3, stride=(2, 3), padding=1),
            "dilation": nn.Conv2d(WIDTH, WIDTH, 3, dilation=3, padding=2),
            "groups": nn.Conv2d(WIDTH, WIDTH, 3, groups=2, padding=1),
            "depthwise": nn.Conv2d(WIDTH, 2 * WIDTH, 3, groups=WIDTH, stride=2),
            "one": nn.Conv2d(WIDTH, WIDTH, 1, bias=False),
            "flat": nn.Conv2d(WIDTH, WIDTH, (1, 5), padding=(0, 2)),
        }
        self.paths = nn.ModuleDict(paths)
        self.head = nn.Linear((len(paths) + 1) * WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, 1 3 h w, to logits 1 k."""
        x = self.stem(x / 255)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using padding='same'")  # which is the point of it
            maps = [functional.relu(path(functional.silu(x))) for path in self.paths.values()]
        ends = [each.mean((2, 3)) for each in maps]
        logits: Tensor = self.head(torch.cat(ends, 1))
        return logits


class Pools(nn.Module):
    """Windows that overlap, hang over the border, leave gaps; adaptive and global ones."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = (
            nn.Conv2d(3, WIDTH, 3),
            nn.Linear(10 * 9 * WIDTH + 2 * WIDTH, CLASSES),
        )
        self.over = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, 1 3 h w, to logits 1 k."""
        x = self.stem(x * 0.004)
        own = (functional.silu(x) for _ in range(12))  # each path begins with one
        places, _ = functional.max_pool2d(next(own), 3, return_indices=True)
        tops, _ = functional.adaptive_max_pool2d(next(own), (5, 4), return_indices=True)
        windows = [
            self.over(next(own)),
            functional.max_pool2d(next(own), 2, dilation=4),
            places,
            functional.avg_pool2d(next(own), 3, 2, padding=1),
            functional.avg_pool2d(next(own), 4, padding=2, count_include_pad=False),
            functional.avg_pool2d(next(own), (2, 3), divisor_override=5),
            functional.avg_pool2d(next(own), 7, ceil_mode=True),
            functional.adaptive_avg_pool2d(next(own), (7, 4)),
            functional.adaptive_max_pool2d(next(own), (4, 7)),
            tops,
        ]
        small = [functional.adaptive_avg_pool2d(each, 3).flatten(1) for each in windows]
        small += [functional.adaptive_avg_pool2d(next(own), 1).flatten(1), next(own).amax((2, 3))]
        logits: Tensor = self.head(torch.cat(small, 1))
        return logits


FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "hardtanh": functional.hardtanh,
    "clamp": lambda x: x.clamp(-0.4, 0.6),
    "clip": lambda x: x.clip(0, 1),
    "clamp_min": lambda x: x.clamp_min(-0.2),
    "clamp_max": lambda x: x.clamp_max(0.3),
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.2),
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "hardsigmoid": functional.hardsigmoid,
    "hardswish": functional.hardswish,
    "elu": lambda x: functional.elu(x, 0.7),
    "celu": lambda x: functional.celu(x, 1.3),
    "selu": functional.selu,
    "softplus": lambda x: functional.softplus(x, 2.0, 1.5),
    "mish": functional.mish,
    "softsign": functional.softsign,
    "logsigmoid": functional.logsigmoid,
    "dropout_on": lambda x: functional.dropout(x, 0.4),
    "dropout_off": lambda x: functional.dropout(x, 0.4, training=False),
    "dropout2d": lambda x: functional.dropout2d(x, 0.3, training=False),
    "negated": lambda x: -x,
    "divided": lambda x: x / 3,
    "scaled": lambda x: 0.3 * x,
    "shifted": lambda x: x + 0.7,
    "lowered": lambda x: 0.7 - x,
}


class Functions(nn.Module):
    """Every function of one number, each behind a convolution of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTH, 3, stride=2)
        self.conv = nn.ModuleDict({name: nn.Conv2d(WIDTH, 4, 1) for name in FUNCTIONS})
        self.last, self.prelu = nn.Conv2d(WIDTH, 4, 1), nn.PReLU(4)
        self.head = nn.Linear(4 * (len(FUNCTIONS) + 1), CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, 1 3 h w, to logits 1 k."""
        x = self.stem((x - 128) / 32)
        made = [function(self.conv[name](x)) for name, function in FUNCTIONS.items()]
        made.append(self.prelu(self.last(x)))
        logits: Tensor = self.head(torch.cat(made, 1).mean((2, 3)))
        return logits


class Norms(nn.Module):
    """Normalised with what training remembered, with the map's own numbers, with a cell's own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTH, 3, stride=2)
        self.conv = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 1) for _ in range(6))
        self.batch, self.own = (
            nn.BatchNorm2d(WIDTH),
            nn.BatchNorm2d(WIDTH, track_running_stats=False),
        )
        self.instance = nn.InstanceNorm2d(WIDTH, affine=True)
        self.remembered = nn.InstanceNorm2d(WIDTH, affine=True, track_running_stats=True)
        self.group, self.map = nn.GroupNorm(4, WIDTH), nn.LayerNorm((WIDTH, 15, 15))
        self.cell, self.up = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH)
        self.vector, self.head = nn.LayerNorm(7 * WIDTH), nn.Linear(7 * WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, 1 3 32 32, to logits 1 k."""
        x = self.stem(x / 64)
        norms = (self.batch, self.own, self.instance, self.remembered, self.group, self.map)
        maps = [functional.silu(norm(conv(x))) for norm, conv in zip(norms, self.conv, strict=True)]
        last = functional.gelu(self.up(self.cell(x.permute(0, 2, 3, 1))))  # ConvNeXt's way
        maps.append(last.permute(0, 3, 1, 2))
        logits: Tensor = self.head(self.vector(torch.cat(maps, 1).mean((2, 3))))
        return logits


class Joins(nn.Module):
    """Sums, differences, products, numbers that move, dense layers written as products, softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, WIDTH, 3, stride=2), nn.Conv2d(3, WIDTH, 3, stride=2)
        self.gate, self.scale = nn.Conv2d(WIDTH, WIDTH, 1), nn.Parameter(torch.empty(WIDTH, 1, 1))
        self.first = nn.Parameter(torch.empty(6 * WIDTH * 9, 20))
        self.second, self.offset = nn.Parameter(torch.empty(20, 16)), nn.Parameter(torch.empty(16))
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, 1 3 h w, to probabilities 1 k."""
        x = x / 255
        a, b = self.left(x), self.right(x)
        gate = torch.sigmoid(self.gate(functional.adaptive_avg_pool2d(b, 1)))
        maps = [
            a + b,  # a residual sum
            torch.sub(a, b, alpha=0.5),
            a * gate,  # one number for a whole map
            self.scale * b,
            functional.interpolate(functional.pad(a, (1, 2, 0, 1), value=0.25), scale_factor=2),
            functional.channel_shuffle(torch.cat((a, b), 1), 4)[:, :WIDTH].transpose(2, 3),
        ]
        small = [functional.adaptive_avg_pool2d(each, 3) for each in maps]
        vector = torch.flatten(torch.cat(small, 1), 1) @ self.first
        vector = torch.addmm(self.offset, torch.log_softmax(vector, 1), self.second)
        return torch.softmax(self.head(vector) / 2, 1)  # at a temperature of 2


NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "convolutions": Convolutions,
    "pools": Pools,
    "functions": Functions,
    "norms": Norms,
    "joins": Joins,
}


def network(name: str, seed: int = 0) -> nn.Module:
    """One of them, with random numbers everywhere."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = NETWORKS[name]()
        for part in module.modules():
            running = dict(part.named_buffers(recurse=False))
            for kind, numbers in running.items():
                if kind == "running_mean":
                    numbers.normal_()
                elif kind == "running_var":
                    numbers.uniform_(0.5, 2)
            is_norm = isinstance(part, nn.LayerNorm | nn.GroupNorm) or running
            for numbers in part.parameters(recurse=False):
                if is_norm or isinstance(part, Joins | nn.InstanceNorm2d | nn.BatchNorm2d):
                    nn.init.normal_(numbers, std=0.5)
                    numbers.data += 0.3
    return module.eval()
