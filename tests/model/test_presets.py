"""presets.py: the ready networks are what their sources say."""

import re

import pytest

from seethrough.errors import SpecError
from seethrough.model.presets import PRESETS, asked_for, preset, resolve
from seethrough.model.shapes import measure
from seethrough.model.spec import Conv, parse, to_text, to_toml


def _parameters(name: str, num_classes: int) -> int:
    return sum(size.parameters for size in measure(preset(name), num_classes))


def test_tiny_vgg_is_the_network_of_cnn_explainer():
    sizes = {size.name: size.shape for size in measure(preset("tiny-vgg"), 10)}
    # The sizes that are drawn on CNN Explainer's page.
    assert sizes["conv1"] == sizes["relu1"] == (10, 62, 62)
    assert sizes["conv2"] == (10, 60, 60)
    assert sizes["pool1"] == (10, 30, 30)
    assert sizes["conv3"] == (10, 28, 28)
    assert sizes["conv4"] == (10, 26, 26)
    assert sizes["pool2"] == (10, 13, 13)
    assert sizes["flatten"] == (1690,)
    assert _parameters("tiny-vgg", 10) == 19_920


def test_lenet_5_has_lecun_s_sizes_and_its_parameters_add_up():
    sizes = {size.name: size.shape for size in measure(preset("lenet-5"), 10)}
    assert [sizes[name] for name in ("conv1", "pool1", "conv2", "pool2", "conv3", "dense1")] == [
        (6, 28, 28),  # C1 … F6 in figure 2 of the paper
        (6, 14, 14),
        (16, 10, 10),
        (16, 5, 5),
        (120, 1, 1),
        (84,),
    ]
    by_hand = 6 * (3 * 25 + 1) + 16 * (6 * 25 + 1) + 120 * (16 * 25 + 1) + 84 * 121 + 10 * 85
    assert _parameters("lenet-5", 10) == by_hand


def test_the_demo_can_be_drawn_whole():
    for spec in (preset("demo", image_px=size) for size in (8, 16, 32, 64, 224)):
        assert max(layer.units for layer in spec.layers if isinstance(layer, Conv)) <= 16


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_says_where_it_comes_from_and_the_table_counts_right(name):
    from seethrough.model import presets

    assert PRESETS[name].source.endswith(".")
    row = re.search(rf"\| {name} +\| (\d+) +\| ([\d,]+) ", presets.__doc__ or "")
    assert row is not None
    assert int(row[1]) == PRESETS[name].image_px
    assert int(row[2].replace(",", "")) == _parameters(name, 10)


@pytest.mark.parametrize("name", ["tiny-vgg", "lenet-5"])
def test_a_preset_takes_other_image_sizes(name):
    spec = preset(name, image_px=96)
    assert spec.image_px == 96
    assert spec.layers == preset(name).layers
    assert measure(spec, 3)


@pytest.mark.parametrize("image_px", [8, 16, 28, 32, 33, 48, 64, 100, 224, 512])
def test_the_demo_halves_images_of_any_size_until_few_cells_are_left(image_px):
    spec = preset("demo", image_px=image_px)
    last_map = [size.shape for size in measure(spec, 2) if len(size.shape) == 3][-1]
    assert last_map[1] <= 7
    assert spec.image_px == image_px


def test_the_demo_has_one_block_more_for_images_of_twice_the_size():
    assert preset("demo", image_px=32) == preset("demo")
    assert to_text(preset("demo")) == PRESETS["demo"].text
    blocks = [to_text(preset("demo", image_px=size)).count("maxpool") for size in (16, 32, 64)]
    assert blocks == [1, 2, 3]


def test_a_name_a_text_and_a_file_mean_a_network(tmp_path):
    text = "conv 8, relu, flatten, dense"
    file = tmp_path / "mine.toml"
    file.write_text(to_toml(parse(text, name="mine", image_px=20)))
    assert resolve("tiny-vgg") == preset("tiny-vgg")
    assert resolve(" demo ", 40) == preset("demo", image_px=40)
    assert resolve(text, 40) == parse(text, image_px=40)
    assert resolve(str(file)) == parse(text, name="mine", image_px=20)
    assert resolve(str(file), 24).image_px == 24


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(SpecError, match="There is no network 'tinyvgg'") as caught:
        resolve("tinyvgg")
    assert "did you mean tiny-vgg?" in caught.value.fix


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"missing\.toml cannot be read") as caught:
        resolve(str(tmp_path / "missing.toml"))
    assert "No such file" in caught.value.why
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match=r"binary\.toml cannot be read"):
        resolve(str(tmp_path / "binary.toml"))
    (tmp_path / "large.toml").write_text("#" * 1_000_001)
    with pytest.raises(SpecError, match=r"large\.toml is larger than 1,000,000 bytes"):
        resolve(str(tmp_path / "large.toml"))


def test_networks_that_are_code_are_named_like_the_others():
    asked = resolve(" resnet-18 ", 48)
    assert (asked.name, asked.text, asked.image_px) == ("resnet-18", "resnet-18", 48)
    assert resolve("resnet-18").image_px == 224
    assert preset("unet-small", image_px=64) == resolve("unet-small", 64)
    with pytest.raises(SpecError, match="There is no network 'resnet18'") as caught:
        resolve("resnet18")
    assert "did you mean resnet-18?" in caught.value.fix


def test_only_words_that_the_user_typed_may_name_code_and_naming_runs_nothing(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text("raise SystemExit('it was run')")
    asked = asked_for(f"{path}:make", 40)
    assert (asked.name, asked.image_px, asked.source) == ("nets:make", 40, path.read_text())
    with pytest.raises(SpecError, match="is no layer"):
        resolve(f"{path}:make", 40)
    with pytest.raises(SpecError, match="names no function") as caught:
        asked_for(str(path), 40)
    assert "nets.py:make" in caught.value.fix
    assert asked_for("demo", 40) == resolve("demo", 40)
    assert asked_for("conv 4, relu, flatten, dense") == resolve("conv 4, relu, flatten, dense")
