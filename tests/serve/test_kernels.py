"""kernels.py: the weights of a layer, whether a module has them or only a product of matrices."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seethrough.classifier import wrap
from seethrough.errors import LayerError
from seethrough.serve.kernels import weights


class Bare(nn.Module):
    """A dense layer that is no module."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.w = nn.Parameter(torch.randn(4, 3))
        self.b = nn.Parameter(torch.randn(3))

    def forward(self, photo: Tensor) -> Tensor:
        """Means of maps, times a matrix."""
        return torch.addmm(self.b, torch.relu(self.conv(photo)).mean((2, 3)), self.w)


def test_a_module_and_a_product_of_matrices_both_tell_their_weights():
    module = Bare()
    classifier = wrap(module, classes=["a", "b", "c"], image_px=8)
    assert np.array_equal(
        weights(classifier, "network.conv", "weight"), module.conv.weight.detach()
    )
    assert np.array_equal(weights(classifier, "network.dense", "weight"), module.w.detach().T)
    assert np.array_equal(weights(classifier, "network.dense", "bias"), module.b.detach())


@pytest.mark.parametrize("layer", ["network.relu", "nowhere"])
def test_what_has_no_weights_is_refused(layer):
    classifier = wrap(Bare(), classes=["a", "b", "c"], image_px=8)
    with pytest.raises(LayerError, match="has no weight"):
        weights(classifier, layer, "weight")
