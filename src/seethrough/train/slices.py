"""A batch in slices whose gradients are added up in one order, whoever computes them.

    loss = Σ (nᵢ / n) · lossᵢ            slice i has nᵢ of the batch's n images
    gradients likewise; running statistics move by Σ (nᵢ / n) · what slice i would move them by

Every slice begins with the same weights and running statistics, is normalised by its own mean and
spread, and is added to the others along one tree (`train.tree`): the weights after the step are
the same, bit for bit, however the slices are divided among processes.
Source: Hoffer, Hubara and Soudry, "Train longer, generalize better" (2017), arXiv:1705.08741,
section 4 (batch normalisation in slices, there called ghost batches).
"""

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from seethrough.train.memory import is_short
from seethrough.train.parallel import World
from seethrough.train.tree import Tree

Found = tuple[float, int]  # mean loss, and how many images have the right class first


def bounds(images: int, slices: int) -> list[tuple[int, int]]:
    """Where each slice of a batch begins and ends: equally many images, or one more in the first.

    Batch normalisation needs two images: a small batch has fewer slices.
    """
    count = max(1, min(slices, images // 2))
    least, more = divmod(images, count)
    starts = [least * number + min(number, more) for number in range(count + 1)]
    return list(itertools.pairwise(starts))


class Sliced:
    """Gradients and running statistics of a network over the slices of a batch."""

    def __init__(self, network: nn.Module, slices: int, world: World) -> None:
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._buffers = list(network.buffers())
        self._slices, self._world = slices, world
        numbers = (*self._parameters, *self._buffers)
        is_double = any(tensor.dtype == torch.float64 for tensor in numbers)
        self._dtype = torch.float64 if is_double else torch.float32
        size = sum(tensor.numel() for tensor in numbers) + len(self._parameters)
        self._like = torch.empty(size, dtype=self._dtype, device=numbers[0].device)
        self._rooms = [self._like]

    def part(self, images: int) -> tuple[int, int]:
        """Which images of a batch are computed here: from the first one to before the second."""
        cuts = bounds(images, self._slices)
        own = self._world.own(len(cuts))
        return (cuts[own.start][0], cuts[own.stop - 1][1]) if own else (0, 0)

    def gradients(
        self,
        compute: Callable[[int, int, int], Found | None],
        images: int,
        kept: Sequence[Tensor],
    ) -> Found | None:
        """Loss and right answers of a batch, gradients and statistics in place; None: no number.

        `compute(number, start, end)` leaves the gradients of one slice's mean loss in the network;
        start and end count from the first image that is computed here. `kept` are the running
        statistics before the batch. Raises MemoryError where any process had too little.
        """
        cuts = bounds(images, self._slices)
        own = self._world.own(len(cuts))
        tree, rows = Tree[Tensor](), []
        offset = cuts[own.start][0] if own else 0
        for number in own:
            start, end = cuts[number]
            self._forget(kept)
            share = (end - start) / images
            try:
                found = compute(number, start - offset, end - offset)
                if found is not None:
                    tree.add(number, 0, self._flat(self._room(tree), share, kept))
            except (RuntimeError, MemoryError) as error:
                if not is_short(error):
                    raise
                rows.append((0.0, 0.0, 1.0))
                continue
            loss, correct = found or (float("nan"), 0)
            rows.append((loss * share, float(correct), 0.0))
        self._forget(kept)
        told = self._world.rows(rows, len(cuts), 3)
        if bool(told[:, 2].any()):  # all processes know, and go on alike
            raise MemoryError
        if not bool(told.isfinite().all()):
            return None
        self._take(self._world.total(tree, self._like, len(cuts)), kept, len(cuts))
        loss, correct, _ = (sum(column) for column in told.T.tolist())
        return loss, int(correct)

    def _forget(self, kept: Sequence[Tensor]) -> None:
        for p in self._parameters:
            p.grad = None
        for buffer, before in zip(self._buffers, kept, strict=True):
            buffer.copy_(before)

    def _room(self, tree: Tree[Tensor]) -> Tensor:
        """Memory for the numbers of a slice; the tree gives back what it has added up."""
        for room in self._rooms:
            if all(branch.value is not room for branch in tree.branches):
                return room
        self._rooms.append(torch.empty_like(self._like))
        return self._rooms[-1]

    def _flat(self, room: Tensor, share: float, kept: Sequence[Tensor]) -> Tensor:
        """What a slice adds: its share of gradients and of statistics, and who has a gradient."""
        *pieces, has = self._split(room)
        for p, piece in zip(self._parameters, pieces, strict=False):
            if p.grad is None:
                piece.zero_()
            else:
                torch.mul(p.grad.to(self._dtype), share, out=piece.view(p.shape))
        moving = zip(self._buffers, kept, pieces[len(self._parameters) :], strict=True)
        for buffer, before, piece in moving:
            moved = buffer.to(self._dtype) - before.to(self._dtype)
            # Whole numbers (how many batches were seen) are divided by the slices at the end.
            piece.copy_((moved * share if buffer.is_floating_point() else moved).reshape(-1))
        has.copy_(torch.tensor([float(p.grad is not None) for p in self._parameters]))
        return room

    def _split(self, room: Tensor) -> tuple[Tensor, ...]:
        """The room of every parameter and every running statistic, and of who has a gradient."""
        sizes = [each.numel() for each in (*self._parameters, *self._buffers)]
        return torch.split(room, [*sizes, len(self._parameters)])

    def _take(self, total: Tensor, kept: Sequence[Tensor], slices: int) -> None:
        *pieces, has = self._split(total)
        for p, piece, count in zip(self._parameters, pieces, has.tolist(), strict=False):
            p.grad = torch.empty_like(p).copy_(piece.view(p.shape)) if count else None
        for buffer, before, piece in zip(
            self._buffers, kept, pieces[len(self._parameters) :], strict=True
        ):
            moved = piece.view(buffer.shape)
            if not buffer.is_floating_point():
                moved = (moved / slices).round()
            buffer.copy_(before.to(self._dtype) + moved)
