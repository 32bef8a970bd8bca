"""Trainings for the tests of the loop, and what to read from their events."""

import hashlib

from seethrough.model.build import build
from seethrough.model.spec import parse
from seethrough.train.events import EpochEnd, Snapshot, Step
from seethrough.train.loop import train
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

RECIPE = Recipe(epochs=3, batch=8, peak_lr=0.05, shift_px=1, seed=4)
STEPS = 18  # 44 images in batches of 8: 6 steps an epoch


def network(photos, seed=0):
    spec = parse("conv 4 k3 p1, norm, relu, maxpool 3, flatten, dense", image_px=12)
    mean, std = photos.mean_std()
    return build(spec, num_classes=3, mean=mean, std=std, seed=seed)


def learn(module, photos, recipe, **options):
    """Training on one thread: at this size a second one only waits."""
    return train(module, photos, recipe, place=Place(threads=1), **options)


def digest(tensors):
    content = hashlib.sha256()
    for name, tensor in tensors.items():
        content.update(name.encode())
        content.update(tensor.contiguous().numpy().tobytes())
    return content.hexdigest()


def events(photos, recipe=RECIPE, **options):
    return list(learn(network(photos), photos, recipe, **options))


def states(seen):
    return [event.state for event in seen if isinstance(event, Snapshot)]


def steps(seen):
    return [(each.step, each.epoch, each.loss, each.lr) for each in seen if isinstance(each, Step)]


def epochs(seen):
    return [
        (each.epoch, each.step, each.train_loss, each.train_accuracy, each.test_loss)
        for each in seen
        if isinstance(each, EpochEnd)
    ]


def until(number, photos, recipe=RECIPE, resume=None):
    """The events of a training that is asked to stop after `number` more steps."""
    seen = []
    for event in learn(
        network(photos),
        photos,
        recipe,
        resume=resume,
        should_stop=lambda: len(steps(seen)) >= number,
    ):
        seen.append(event)
    return seen
