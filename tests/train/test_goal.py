"""Several labels a photo: the loss by hand, the training's promises, and that it learns."""

import numpy as np
import pytest
import torch
from tests.train.shapes import LABELS, NETWORK, shapes
from tests.train.small import digest, last_state, learn

from seethrough.data.dataset import Split
from seethrough.errors import RecipeError
from seethrough.model.make import make
from seethrough.model.several import is_several, logits_of
from seethrough.model.spec import parse
from seethrough.train.batches import Batches
from seethrough.train.events import EpochEnd, Step
from seethrough.train.goal import goal_of
from seethrough.train.loss import binary_loss
from seethrough.train.recipe import Recipe

PHOTOS = shapes(96)
QUICK = Recipe(epochs=2, batch=16, peak_lr=0.05, shift_px=1, flip=False, label_smoothing=0.0)


def network(photos=PHOTOS, *, seed=0, several=True):
    mean, std = photos.mean_std()
    spec = parse(NETWORK, image_px=photos.image_px)
    return make(spec, num_classes=3, mean=mean, std=std, seed=seed, is_several=several)


def by_hand(logits, targets, smoothing=0.0, focal=0.0, weights=None):
    """The definition of the documentation, number by number, in float64."""
    total, (images, count) = 0.0, logits.shape
    for row, wanted in zip(logits.astype(float), targets.astype(float), strict=True):
        for c, (z, y) in enumerate(zip(row, wanted, strict=True)):
            p, t = 1 / (1 + np.exp(-z)), (1 - smoothing) * y + smoothing / 2
            yes, no = t * (1 - p) ** focal * np.log(p), (1 - t) * p**focal * np.log(1 - p)
            total -= yes * (weights[1][c] if weights else 1) + no * (
                weights[0][c] if weights else 1
            )
    return total / images / count


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("focal", [0.0, 2.0])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_loss_is_its_definition(smoothing, focal, is_weighted):
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (7, 3)).astype(np.float32)
    targets = random.integers(0, 2, (7, 3)).astype(np.float32)
    targets[0] = (0.25, 0.5, 0.75)  # of a mixed photo
    weights = [[0.7, 1.0, 2.0], [1.9, 1.0, 0.5]] if is_weighted else None
    recipe = Recipe(label_smoothing=smoothing, focal=focal)
    given = None if weights is None else torch.tensor(weights)
    found = binary_loss(torch.from_numpy(logits), torch.from_numpy(targets), recipe, given)
    assert float(found) == pytest.approx(
        by_hand(logits, targets, smoothing, focal, weights), rel=1e-5
    )


def test_the_gradient_at_a_logit_is_p_minus_y_over_the_labels():
    random = np.random.default_rng(1)
    logits = torch.from_numpy(random.normal(0, 2, (1, 4))).requires_grad_()
    targets = torch.tensor([[1.0, 0.0, 1.0, 0.0]], dtype=torch.float64)
    binary_loss(logits, targets, Recipe(label_smoothing=0.0)).backward()
    expected = (torch.sigmoid(logits.detach()) - targets) / 4
    assert logits.grad is not None
    assert torch.allclose(logits.grad, expected, rtol=1e-12)


def test_weights_make_both_answers_of_a_label_count_alike():
    batches = Batches.of(PHOTOS, Recipe(class_weights=True))
    weights = batches.class_weights()
    own = PHOTOS.labels[PHOTOS.indices(Split.TRAIN)]
    assert weights is not None
    assert weights.shape == (2, 3)
    for c in range(3):
        assert float(weights[1, c]) * own[:, c].sum() == pytest.approx(len(own) / 2)
        assert float(weights[0, c]) * (1 - own[:, c].astype(int)).sum() == pytest.approx(
            len(own) / 2
        )


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixed_photos_have_labels_mixed_by_the_same_shares(mix):
    recipe = Recipe(batch=8, **{mix: 1.0})
    batches = Batches.of(PHOTOS, recipe)
    _, targets = next(iter(batches.epoch(1)))
    chosen = batches.photos(1, 0)
    own = PHOTOS.labels[chosen].astype(float)
    other = np.roll(own, -1, axis=0)
    mixed = targets.numpy().astype(float)
    for row, first, second in zip(mixed, own, other, strict=True):
        parts = [(t - b) / (a - b) for t, a, b in zip(row, first, second, strict=True) if a != b]
        assert all(part == pytest.approx(parts[0], abs=1e-6) for part in parts)
        assert all(t == a for t, a, b in zip(row, first, second, strict=True) if a == b)
        assert all(-1e-6 <= part <= 1 + 1e-6 for part in parts)


def test_the_network_ends_with_a_sigmoid_and_begins_with_the_same_weights():
    one, each = network(several=False), network()
    assert not is_several(one)
    assert is_several(each)
    assert digest(one.state_dict()) == digest(each.state_dict())
    images = torch.from_numpy(PHOTOS.images[:3].transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        logits, said = logits_of(each.eval())(images), each(images)
        assert torch.equal(logits, one.eval()(images))
    assert torch.allclose(said, 1 / (1 + torch.exp(-logits)))


def test_it_learns_shapes_nearly_without_a_mistake():
    photos = shapes(400)
    recipe = Recipe(epochs=12, batch=16, peak_lr=0.1, shift_px=1, flip=False, label_smoothing=0.0)
    ends = [e for e in learn(network(photos), photos, recipe) if isinstance(e, EpochEnd)]
    first, last = ends[0], ends[-1]
    assert first.test_accuracy is not None
    assert last.test_accuracy is not None
    assert first.test_accuracy < 0.5
    assert last.test_accuracy > 0.95
    assert last.test_loss is not None
    assert last.test_loss < 0.1


def test_accuracy_and_loss_of_an_epoch_are_counted_photo_by_photo():
    trained = network()
    last = [e for e in learn(trained, PHOTOS, QUICK) if isinstance(e, EpochEnd)][-1]
    test = PHOTOS.indices(Split.TEST)
    images = torch.from_numpy(PHOTOS.images[test].transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        logits = logits_of(trained.eval())(images).double().numpy()
    truth = PHOTOS.labels[test]
    right = [((z >= 0) == (y == 1)).all() for z, y in zip(logits, truth, strict=True)]
    assert last.test_accuracy == np.mean(right)
    assert last.test_loss == pytest.approx(by_hand(logits, truth), rel=1e-5)


def test_a_followed_photo_is_told_with_a_probability_for_each_label():
    seen = [e for e in learn(network(), PHOTOS, QUICK, watched=(3,)) if isinstance(e, EpochEnd)]
    watched = seen[-1].watched[0]
    assert sum(watched.probabilities) != pytest.approx(1, abs=1e-3)
    named = [name for name, p in zip(LABELS, watched.probabilities, strict=True) if p >= 0.5]
    assert watched.label == (", ".join(named) or "no label")


def test_a_stop_and_a_resume_change_no_bit():
    whole = list(learn(network(), PHOTOS, QUICK))
    steps: list[Step] = []

    def enough() -> bool:
        return len(steps) >= 5

    seen = []
    for event in learn(network(), PHOTOS, QUICK, should_stop=enough):
        seen.append(event)
        steps += [event] if isinstance(event, Step) else []
    state = [event.state for event in seen if hasattr(event, "state")][-1]
    resumed = list(learn(network(seed=9), PHOTOS, QUICK, resume=state))
    assert digest(last_state(resumed)) == digest(last_state(whole))


def test_slices_give_the_gradient_of_the_whole_batch():
    """Without normalisation a slice knows nothing of the others: only the order differs."""
    recipe = Recipe(epochs=1, batch=16, peak_lr=0.05, flip=False, momentum=0.9)
    states = []
    for slices in (1, 4):
        spec = parse("conv 4 k3, relu, maxpool 3, flatten, dense", image_px=16)
        mean, std = PHOTOS.mean_std()
        plain = make(spec, num_classes=3, mean=mean, std=std, seed=0, is_several=True)
        changed = Recipe.from_dict({**recipe.to_dict(), "slices": slices})
        states.append(last_state(list(learn(plain, PHOTOS, changed))))
    for name, tensor in states[0].items():
        assert torch.allclose(tensor, states[1][name], rtol=1e-4, atol=1e-6), name


def test_a_network_for_the_other_question_is_refused():
    with pytest.raises(RecipeError, match="several labels a photo, and the network is not made"):
        list(learn(network(several=False), PHOTOS, QUICK))
    assert type(goal_of(network(several=False))).__name__ == "OneLabel"
