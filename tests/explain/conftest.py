"""Photos and strangers' modules for the tests of explain."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn


class LeNet(nn.Module):
    """Written the functional way: nothing but the learned layers are modules."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 5), nn.Conv2d(6, 8, 5)
        self.fc1, self.fc2 = nn.Linear(8 * 5 * 5, 20), nn.Linear(20, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x / 255.0)), 2)
        x = F.max_pool2d(torch.tanh(self.conv2(x)), kernel_size=2)
        x = x.view(x.size(0), -1)
        return self.fc2(F.dropout(self.fc1(x).relu(), training=self.training))


class Residual(nn.Module):
    """One relu for everything, in place, and a sum in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.relu, self.fc = nn.ReLU(inplace=True), nn.Linear(8, 4)

    def forward(self, x):
        x = self.relu(self.norm1(self.conv1((x - 127.5) / 127.5)))
        y = self.relu(self.norm2(self.conv2(x)))
        y += x
        return self.fc(self.relu(y).mean([2, 3]))


class Concatenating(nn.Module):
    """DenseNet's way, with everything that slides: strides, dilation, groups, borders, gates."""

    def __init__(self) -> None:
        super().__init__()
        self.grow = nn.Conv2d(3, 4, 3, padding="same")
        self.down = nn.Conv2d(7, 5, 3, stride=2, padding=2, dilation=2)
        self.depthwise = nn.Conv2d(12, 12, 3, groups=12, padding=1, padding_mode="reflect")
        self.pointwise, self.norm = nn.Conv2d(12, 6, 1), nn.GroupNorm(3, 6)
        self.act, self.gate, self.fc = nn.Hardswish(), nn.Conv2d(6, 6, 1), nn.Linear(24, 4)

    def forward(self, x):
        x = x * (1 / 255)
        y = torch.cat([x, self.grow(x)], 1)
        z = torch.cat((F.avg_pool2d(y, 2, ceil_mode=True), self.down(y)), dim=1)
        z = self.act(self.norm(self.pointwise(self.depthwise(F.channel_shuffle(z, 3)))))
        z = z * torch.sigmoid(self.gate(F.adaptive_avg_pool2d(z, 1)))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(z, 2), 1))


class ChannelsLast(nn.Module):
    """ConvNeXt's block: dense layers and layer normalisation on 1 h w c."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, 4)
        self.depthwise = nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.norm, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 32), nn.Linear(32, 8)
        self.gamma = nn.Parameter(torch.randn(8))
        self.last, self.head = nn.LayerNorm(8), nn.Linear(8, 4)

    def forward(self, x):
        x = self.stem(x / 255)
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.gamma * self.down(F.gelu(self.up(self.norm(y))))
        x = x + y.permute(0, 3, 1, 2)
        return self.head(self.last(x.mean((-2, -1))))


def nameless() -> nn.Module:
    """A Sequential without names that ends in a softmax of its own."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1),
        nn.SiLU(),
        nn.Sequential(nn.AvgPool2d(2), nn.LeakyReLU(0.2), nn.MaxPool2d(3, 2, padding=1)),
        nn.InstanceNorm2d(6, affine=True),
        nn.PReLU(6),
        nn.Flatten(),
        nn.Linear(96, 4),
        nn.Softmax(dim=1),
    )


STRANGERS = {
    "LeNet": LeNet,
    "Residual": Residual,
    "Concatenating": Concatenating,
    "ChannelsLast": ChannelsLast,
    "nameless": nameless,
}


def trained(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A module whose norms have seen something, so that no scale is 1 and no shift 0."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = make()
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2)
            if isinstance(part, nn.BatchNorm2d | nn.GroupNorm | nn.InstanceNorm2d):
                nn.init.normal_(part.weight)
                nn.init.normal_(part.bias)
    return module


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Small maps: threads would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture(params=STRANGERS)
def stranger(request: pytest.FixtureRequest) -> nn.Module:
    return trained(STRANGERS[request.param])


@pytest.fixture
def residual() -> nn.Module:
    return trained(Residual)


@pytest.fixture
def lenet() -> nn.Module:
    return trained(LeNet)


@pytest.fixture
def concatenating() -> nn.Module:
    return trained(Concatenating)


@pytest.fixture
def channels_last() -> nn.Module:
    return trained(ChannelsLast)
