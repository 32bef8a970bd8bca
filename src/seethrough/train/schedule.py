"""The learning rate of every step: one cycle of rise and fall.

    rise   lr = peak · t / (warmup · T)                        t = 1 … warmup · T
    fall   linear  share = 1 − p                               p = 0 … 1 over the other steps
           cosine  share = (1 + cos π p) / 2
           lr = peak · (final + (1 − final) · share)

t is the step, counted from 1; T the steps of all epochs. The last step has lr = peak · final.
Source: Smith and Topin, "Super-Convergence" (2018), arXiv:1708.07120, with one straight rise.
"""

import math

from seethrough.train.recipe import Recipe, Schedule


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """The learning rate of step `step` (from 1) of `steps`."""
    rise = recipe.warmup * steps
    if step < rise:
        return recipe.peak_lr * step / rise
    # Counted from the last step that still rises, so that the first step of a fall is the peak.
    top = max(1, math.ceil(rise))
    progress = (step - top) / (steps - top) if steps > top else 0.0
    share = (
        1 - progress
        if recipe.schedule is Schedule.LINEAR
        else (1 + math.cos(math.pi * progress)) / 2
    )
    return recipe.peak_lr * (recipe.final_lr + (1 - recipe.final_lr) * share)
