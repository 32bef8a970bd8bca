"""How the ready networks' weights begin.

    convolution   normal around 0, variance 2 / (units · kernel cells), biases 0
    dense         as the framework begins, or normal with a small deviation where a paper says so

Source: He et al., Delving deep into rectifiers (2015), arXiv:1502.01852, eq. 14 (by units).
"""

from torch import nn


def he(module: nn.Module) -> None:
    """Give every convolution below `module` weights whose gradients keep their size."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def narrow(module: nn.Module, deviation: float) -> None:
    """Give convolutions and dense layers normal weights of this deviation, biases 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(part.weight, std=deviation)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
