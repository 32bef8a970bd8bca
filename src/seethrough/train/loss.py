"""What a step makes smaller: the cross-entropy of a batch, and what a recipe may change about it.

    loss   = mean over the batch of   − Σ_c  w_c · (1 − p_c)^γ · t_c · log p_c
    t      the target with label smoothing ε: (1 − ε) · share of the class + ε / k
    γ      focal: how much less a class counts that the network is sure of already; 0: not at all
    w      class_weights: n / (k · n_c), n_c of the n training images in class c; 1 without

Class weights are 1 on average over the training images, so that the learning rate means the same.
With γ = 0 and without weights this is torch's own cross-entropy, and it is computed by it.
Sources: Lin et al. (2017), arXiv:1708.02002 (focal loss, of two classes; here a term a class);
King and Zeng (2001), doi:10.1093/oxfordjournals.pan.a004868 (weights by frequency).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float32, Shaped
from torch import Tensor
from torch.nn import functional

from seethrough.train.recipe import Recipe

_SURE = 1e-6  # 1 − p is not taken for less: its power has no slope at 0


def loss(
    logits: Float[Tensor, "n k"],
    targets: Shaped[Tensor, " n *k"],
    recipe: Recipe,
    class_weights: Float32[Tensor, " k"] | None = None,
) -> Float[Tensor, ""]:
    """The mean over a batch; targets are labels (n, int64) or shares of the classes (n k)."""
    smoothing, classes = recipe.label_smoothing, logits.shape[1]
    if recipe.focal == 0 and class_weights is None:
        return functional.cross_entropy(logits, targets, label_smoothing=smoothing)
    pure = functional.one_hot(targets, classes).to(logits) if targets.ndim == 1 else targets
    logs = logits.log_softmax(1)
    terms = ((1 - smoothing) * pure + smoothing / classes) * logs
    if recipe.focal:
        terms = terms * (-torch.expm1(logs)).clamp(min=_SURE) ** recipe.focal
    if class_weights is not None:
        terms = terms * class_weights
    return -terms.sum(1).mean()


def weights_of(counts: Sequence[int]) -> Float32[Tensor, " k"]:
    """The weight of each class by its training images; a class without any counts as one image."""
    images = torch.tensor(counts, dtype=torch.float64)
    return (images.sum() / (len(counts) * images.clamp(min=1))).float()
