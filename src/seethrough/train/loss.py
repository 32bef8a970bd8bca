"""What a step makes smaller: the cross-entropy of a batch, and what a recipe may change about it.

    loss   = mean over the batch of   − Σ_c  w_c · (1 − p_c)^γ · t_c · log p_c
    t      the target with label smoothing ε: (1 − ε) · share of the class + ε / k
    γ      focal: how much less a class counts that the network is sure of already; 0: not at all
    w      class_weights: n / (k · n_c), n_c of the n training images in class c; 1 without

Of several labels each is a question of its own, yes or no, and

    loss   = mean over batch and labels of   − [ w_1 · (1 − p)^γ · t · log p
                                               + w_0 · p^γ · (1 − t) · log (1 − p) ],   p = σ(logit)
    t      (1 − ε) · label + ε / 2
    w_1    n / (2 · n_c), n_c of the n training images have label c; w_0 = n / (2 · (n − n_c))

Class weights are 1 on average over the training images, so that the learning rate means the same.
With γ = 0 and without weights these are torch's own cross-entropy and binary cross-entropy with
logits, and they are computed by them.
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


def binary_loss(
    logits: Float[Tensor, "n k"],
    targets: Float[Tensor, "n k"],
    recipe: Recipe,
    class_weights: Float32[Tensor, "2 k"] | None = None,
) -> Float[Tensor, ""]:
    """The mean over a batch of several labels; weights are those of 0 and of 1."""
    smoothed = (1 - recipe.label_smoothing) * targets + recipe.label_smoothing / 2
    if recipe.focal == 0 and class_weights is None:
        return functional.binary_cross_entropy_with_logits(logits, smoothed)
    yes, no = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    terms = smoothed * yes, (1 - smoothed) * no
    if recipe.focal:
        unsure = [(-torch.expm1(each)).clamp(min=_SURE) ** recipe.focal for each in (yes, no)]
        terms = terms[0] * unsure[0], terms[1] * unsure[1]
    if class_weights is not None:
        terms = terms[0] * class_weights[1], terms[1] * class_weights[0]
    return -(terms[0] + terms[1]).mean()


def weights_of(counts: Sequence[int]) -> Float32[Tensor, " k"]:
    """The weight of each class by its training images; a class without any counts as one image."""
    images = torch.tensor(counts, dtype=torch.float64)
    return (images.sum() / (len(counts) * images.clamp(min=1))).float()


def binary_weights_of(counts: Sequence[int], images: int) -> Float32[Tensor, "2 k"]:
    """The weights of 0 and 1 of each label, by how many of the training images have it."""
    each = [weights_of([images - count, count]) for count in counts]
    return torch.stack(each, dim=1)
