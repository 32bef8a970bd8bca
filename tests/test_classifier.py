"""classifier.py: equal photos get equal numbers through every way in; strangers stay untouched."""

import hashlib
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

import seethrough as see
from seethrough.classifier import Classifier, wrap
from seethrough.data.dataset import Split
from seethrough.errors import DataError, ShapeError
from seethrough.model.build import build
from seethrough.model.presets import preset
from seethrough.model.spec import to_text
from seethrough.predict.prediction import Prediction

CLASSES = ("cat", "dog", "frog")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def classifier():
    spec = preset("demo")
    network = build(spec, num_classes=3, mean=(0.5,) * 3, std=(0.25,) * 3, seed=1)
    noise = np.random.default_rng(5).integers(0, 256, (16, 3, 32, 32), dtype=np.uint8)
    network(torch.from_numpy(noise))  # moves the running means away from 0
    return Classifier(module=network.eval(), classes=CLASSES, image_px=32, network=to_text(spec))


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (60, 47, 3), dtype=np.uint8)
    path = tmp_path / "cup ü.png"
    Image.fromarray(pixels).save(path)
    return path, pixels


# ---------------------------------------------------------------- one photo


def test_a_path_its_bytes_and_its_pixels_get_the_same_numbers(classifier, photo):
    path, pixels = photo
    by_path = classifier.predict(path)
    said = [
        by_path,
        classifier.predict(str(path)),
        classifier.predict(path.read_bytes()),
        classifier.predict(pixels),
        *classifier.predict_files([path.parent]),
    ]
    assert all(isinstance(each, Prediction) for each in said)
    assert all(each.probabilities == by_path.probabilities for each in said)
    assert [each.path for each in said] == [str(path), str(path), "image", "image", str(path)]
    assert classifier.predict(pixels, name="mine").path == "mine"


def test_the_trace_of_a_photo_gives_the_probabilities_of_its_prediction(classifier, photo):
    path, _ = photo
    seen = classifier.trace(path)
    assert seen.classes == CLASSES
    said = np.array(list(classifier.predict(path).probabilities.values()), dtype=np.float32)
    np.testing.assert_array_equal(seen.probabilities, said)
    fitted = classifier.fitted(path)
    np.testing.assert_array_equal(seen.photo, fitted.pixels.transpose(2, 0, 1))
    assert (fitted.width, fitted.height) == (47, 60)
    assert "cut off" in fitted.note


def test_pixels_of_the_network_s_own_size_are_taken_as_they_are(classifier):
    pixels = np.random.default_rng(2).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(classifier.fitted(pixels).pixels, pixels)
    alone = np.array(list(classifier.predict(pixels).probabilities.values()))
    together = classifier.probabilities(pixels[None])[0]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((32, 32, 3), dtype=np.float32),
        np.zeros((32, 32), dtype=np.uint8),
        np.zeros((3, 32, 32), dtype=np.uint8),
        np.zeros((0, 32, 3), dtype=np.uint8),
        np.zeros((1, 32, 32, 3), dtype=np.uint8),
    ],
)
def test_arrays_that_are_no_photo_are_refused(classifier, array):
    with pytest.raises(DataError, match=f"An array of {array.dtype} .* is no photo") as caught:
        classifier.predict(array)
    assert "np.asarray" in caught.value.fix


def test_an_object_that_is_no_photo_is_refused_with_the_way_to_convert_it(classifier):
    image = Image.new("RGB", (32, 32))
    fitted = inspect.unwrap(Classifier.fitted)  # without the tests' own check of types
    with pytest.raises(DataError, match="Image is no photo") as caught:
        fitted(classifier, image)
    assert "np.asarray" in caught.value.fix
    assert classifier.predict(np.asarray(image)).label in CLASSES


def test_files_that_are_no_photo_are_refused(classifier, tmp_path):
    with pytest.raises(DataError, match=r"none\.jpg cannot be read"):
        classifier.predict(tmp_path / "none.jpg")
    text = tmp_path / "text.jpg"
    text.write_text("no photo")
    for way in (text, text.read_bytes()):
        with pytest.raises(DataError, match="image"):
            classifier.predict(way)


def test_images_of_another_size_are_refused(classifier):
    with pytest.raises(ShapeError, match="The images have 64 × 48 px") as caught:
        classifier.probabilities(np.zeros((2, 48, 64, 3), dtype=np.uint8))
    assert "image_px=32" in caught.value.fix


# ---------------------------------------------------------------- a data set


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three classes, told apart by their colour; ten photos each."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for index, label in enumerate(CLASSES):
        (folder / label).mkdir()
        for number in range(10):
            pixels = rng.integers(0, 120, (32, 32, 3), dtype=np.uint8)
            pixels[..., index] += 120
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder


class _Brightest(nn.Module):
    """Says the class of the brightest colour: right on every photo above."""

    def forward(self, images):
        return 20 * images.mean(dim=(2, 3))


def test_the_report_counts_what_the_photos_show(photos):
    dataset = see.load(photos, image_px=32)
    classifier = wrap(_Brightest(), classes=CLASSES, image_px=32)
    report = classifier.evaluate(dataset)
    assert report.accuracy == 1
    assert report.images == len(dataset.indices(Split.TEST)) == 6
    assert report.train_accuracy is None
    shifted = wrap(
        _Brightest(), classes=CLASSES, image_px=32, mean=(0.0, 9.0, 0.0), std=(1.0, 1.0, 1.0)
    )
    assert shifted.evaluate(dataset).accuracy == pytest.approx(2 / 3)  # never a dog


def test_the_gap_is_measured_only_on_the_photos_that_the_network_learned_from(photos):
    dataset = see.load(photos, image_px=32)
    plain = wrap(_Brightest(), classes=CLASSES, image_px=32)
    facts = {"module": plain.module, "classes": CLASSES, "image_px": 32}
    report = Classifier(**facts, trained_on=dataset.fingerprint).evaluate(dataset)
    assert report.train_accuracy == 1
    assert report.train_images == 24
    assert Classifier(**facts, trained_on="another").evaluate(dataset).train_accuracy is None


def test_photos_of_other_classes_or_sizes_are_refused(photos):
    dataset = see.load(photos, image_px=32)
    with pytest.raises(DataError, match="has the classes cat, dog, frog") as caught:
        wrap(_Brightest(), classes=("cat", "frog", "dog"), image_px=32).evaluate(dataset)
    assert "cat, frog, dog" in caught.value.why
    with pytest.raises(ShapeError, match="The images have 32 × 32 px"):
        wrap(_Brightest(), classes=CLASSES, image_px=64).evaluate(dataset)


def test_a_data_set_without_test_photos_is_refused(photos):
    dataset = see.load(photos, image_px=32, plan=see.SplitPlan(test=0.0))
    with pytest.raises(DataError, match="has no test photo"):
        wrap(_Brightest(), classes=CLASSES, image_px=32).evaluate(dataset)


# ---------------------------------------------------------------- a stranger's module


class Stranger(nn.Module):
    """Batch normalisation, an addition, functions instead of modules, dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.body = nn.Conv2d(8, 8, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8 * 4 * 4, 3)

    def forward(self, images):
        seen = functional.relu(self.norm(self.stem(images)))
        seen = functional.relu(seen + self.body(seen))
        seen = functional.max_pool2d(seen, 2)
        return self.head(self.drop(torch.flatten(seen, 1)))


@pytest.fixture
def stranger():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = Stranger()
    module.train()
    module.norm.eval()  # as those do who freeze a backbone
    module.stem.weight.requires_grad_(False)
    module.body.register_forward_hook(lambda *_: None)
    return module


def _everything(module: nn.Module) -> dict[str, object]:
    """Every attribute of every part: flags, hooks, weights as bytes, and where they lie."""
    found: dict[str, object] = {}
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            found[f"{name}.{key}"] = dict(value) if isinstance(value, dict) else value
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        digest = hashlib.sha256(tensor.detach().numpy().tobytes()).hexdigest()
        facts = (id(tensor), tensor.data_ptr(), tensor._version, tensor.requires_grad, tensor.grad)
        found[f"{name} bytes"] = (digest, *facts, tensor.grad_fn, tensor.stride())
    return found


def test_a_wrapped_module_is_untouched_by_everything_one_can_ask(stranger, photos):
    before, random_state = _everything(stranger), torch.get_rng_state()
    classifier = wrap(stranger, classes=CLASSES, image_px=16, mean=MEAN, std=STD)
    photo = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    classifier.predict(photo)
    classifier.probabilities(np.stack([photo, photo]))
    seen = classifier.trace(photo)
    seen.equation("network.stem", unit=2, row=3, column=4)
    classifier.evaluate(see.load(photos, image_px=16))
    with pytest.raises(DataError, match="is no photo"):
        classifier.trace(photo[0])
    after = _everything(stranger)
    assert after.keys() == before.keys()
    changed = [key for key in before if not _same(before[key], after[key])]
    assert changed == []
    assert torch.equal(torch.get_rng_state(), random_state)


def _same(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(one[key] is other[key] for key in one)
    return one is other or one == other


def test_a_wrapped_module_answers_as_it_does_alone(stranger):
    classifier = wrap(stranger, classes=CLASSES, image_px=16, mean=MEAN, std=STD)
    photo = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    shares = torch.from_numpy(photo.transpose(2, 0, 1).astype(np.float64) / 255)
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    with torch.no_grad():
        alone = Stranger()
        alone.load_state_dict(stranger.state_dict())
        logits = alone.eval()(((shares - mean) / std).float()[None])
    expected = torch.softmax(logits.double(), dim=1)[0].numpy()
    said = np.array(list(classifier.predict(photo).probabilities.values()))
    np.testing.assert_allclose(said, expected, rtol=1e-5)


def test_without_mean_and_std_the_module_gets_shares_of_255():
    classifier = wrap(nn.Flatten(), classes=range_of(12), image_px=2)
    photo = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(
        classifier.trace(photo).logits,
        (photo.transpose(2, 0, 1).reshape(-1).astype(np.float32) / np.float32(255)),
    )


def range_of(count: int) -> list[str]:
    return [f"class {index}" for index in range(count)]


def test_a_module_that_ends_with_softmax_keeps_its_own_probabilities(stranger):
    photo = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    plain = wrap(stranger, classes=CLASSES, image_px=16)
    ended = wrap(nn.Sequential(stranger, nn.Softmax(dim=1)), classes=CLASSES, image_px=16)
    expected = list(plain.predict(photo).probabilities.values())
    for said in (
        list(ended.predict(photo).probabilities.values()),
        ended.probabilities(photo[None])[0],
        ended.trace(photo).probabilities,
    ):
        np.testing.assert_allclose(said, expected, rtol=1e-5)


def test_a_module_of_doubles_is_asked_in_doubles(stranger):
    photo = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    plain = wrap(stranger, classes=CLASSES, image_px=16, mean=MEAN, std=STD).predict(photo)
    double = Stranger().double()
    double.load_state_dict(stranger.state_dict())
    said = wrap(double, classes=CLASSES, image_px=16, mean=MEAN, std=STD).predict(photo)
    assert said.probabilities == pytest.approx(plain.probabilities, rel=1e-5)


def test_a_module_that_does_not_fit_is_refused_when_it_is_wrapped(stranger):
    with pytest.raises(ShapeError, match="gives 3 numbers for 2 classes"):
        wrap(stranger, classes=("a", "b"), image_px=16)
    with pytest.raises(ShapeError, match="cannot be asked about an image of 40 × 40 px") as caught:
        wrap(stranger, classes=CLASSES, image_px=40)
    assert "RuntimeError" in caught.value.why
    with pytest.raises(ShapeError, match=r"answers 1 images with shape \(1, 3, 16, 16\)"):
        wrap(nn.Identity(), classes=CLASSES, image_px=16)
    grey = nn.Sequential(nn.Conv2d(1, 3, 16), nn.Flatten())
    with pytest.raises(ShapeError, match="cannot be asked") as caught:
        wrap(grey, classes=CLASSES, image_px=16)
    assert "(n, 3, h, w)" in caught.value.fix
    with pytest.raises(ShapeError, match="Only one of mean and std"):
        wrap(stranger, classes=CLASSES, image_px=16, mean=MEAN)


def test_a_classifier_is_printed_without_its_thousand_weights(classifier):
    assert "Conv2d" not in repr(classifier)
    assert "classes=('cat', 'dog', 'frog')" in repr(classifier)


def test_a_symbolic_link_to_a_photo_is_a_photo(classifier, photo):
    path, _ = photo
    link = path.with_name("link.png")
    link.symlink_to(path)
    assert classifier.predict(link).probabilities == classifier.predict(path).probabilities
    assert classifier.predict(Path(link)).path == str(link)
