"""The ready networks that are code: published counts, torch's own counter, sizes, seeds."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from seethrough.errors import ShapeError
from seethrough.model import presets
from seethrough.model.build import build
from seethrough.model.make import make, restore
from seethrough.model.networks.table import READY
from seethrough.model.presets import NETWORKS, PRESETS, preset
from seethrough.model.recorded import measured, sizes_of
from seethrough.model.shapes import measure

NORMAL = {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.2, 0.2)}

# For 1,000 classes at 224 px, as torchvision's documentation and the papers' own code give them.
PUBLISHED = {
    "vgg-11": 132_868_840,
    "resnet-18": 11_689_512,
    "resnet-34": 21_797_672,
    "resnet-50": 25_557_032,
    "mobilenet-v2": 3_504_872,
    "convnext-tiny": 28_589_128,
}
# 10⁹ multiply-adds of one photo there, as published beside them.
PUBLISHED_G = {
    "resnet-18": 1.81,
    "resnet-34": 3.66,
    "resnet-50": 4.09,
    "mobilenet-v2": 0.30,
    "vgg-11": 7.61,
    "convnext-tiny": 4.46,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_parameters_and_multiply_adds_are_the_published_ones(name):
    sizes = measured(preset(name), 1000)
    assert sum(size.parameters for size in sizes) == PUBLISHED[name]
    assert sum(size.multiply_adds for size in sizes) / 1e9 == pytest.approx(
        PUBLISHED_G[name], abs=0.006
    )


def test_small_networks_have_the_sizes_of_their_papers_at_32_px():
    def parameters(name):
        return sum(size.parameters for size in measured(preset(name, image_px=32), 10))

    assert round(parameters("densenet-40") / 1e6, 1) == 1.0  # table 2
    assert round(parameters("cifar-small") / 1e6, 1) == 2.0  # figure 2: 1.97 million
    assert round(parameters("resnet-18") / 1e6, 2) == 11.17  # the usual variant for 32 px


@pytest.mark.parametrize("image_px", [28, 32, 64, 224])
@pytest.mark.parametrize("name", NETWORKS)
def test_counts_are_torch_s_own_at_every_size(name, image_px):
    sizes = measured(preset(name, image_px=image_px), 7)
    with torch.device("meta"):
        module = READY[name](7, image_px).eval()
    counter = FlopCounterMode(display=False)
    with counter:
        answer = module(torch.zeros(1, 3, image_px, image_px, device="meta"))
    assert tuple(answer.shape) == (1, 7)
    assert sum(size.multiply_adds for size in sizes) * 2 == counter.get_total_flops()
    assert sum(size.parameters for size in sizes) == sum(p.numel() for p in module.parameters())
    assert sizes[0].shape == (3, image_px, image_px)
    assert sizes[-1].shape == (7,)
    assert len({size.name for size in sizes}) == len(sizes)


@pytest.mark.parametrize("name", PRESETS)
def test_the_recorded_sizes_of_a_text_are_those_of_its_arithmetic(name):
    spec = preset(name)
    module = build(spec, num_classes=5, seed=0, **NORMAL)
    for written, seen in zip(measure(spec, 5), sizes_of(module, spec.image_px), strict=True):
        fields = ("name", "kind", "shape", "parameters", "multiply_adds", "reach", "jump", "start")
        assert [getattr(seen, field) for field in fields] == [
            getattr(written, field) for field in fields
        ]


@pytest.mark.parametrize(
    ("name", "layer"), [("resnet-18", "stage3.0.relu2"), ("unet-small", "network.up2.relu2")]
)
def test_a_cell_s_reach_holds_every_pixel_that_has_a_gradient_in_it(name, layer):
    """Along one axis; where branches and repeated cells meet, the bounds are outer ones."""
    image_px = 96 if name == "resnet-18" else 64
    spec = preset(name, image_px=image_px)
    size = next(each for each in measured(spec, 3) if each.name == layer)
    module = make(spec, num_classes=3, seed=1, **NORMAL).double().eval()
    kept = {}
    module.get_submodule(layer).register_forward_hook(lambda _, __, output: kept.update(out=output))
    draw = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, image_px, image_px, dtype=torch.double, generator=draw)
    image.requires_grad_()
    module(image * 255)
    cell = kept["out"].shape[2] // 2
    kept["out"][0, :, cell, cell].sum().backward()
    rows = image.grad[0].abs().sum((0, 2)).nonzero().flatten()
    first, last = int(rows.min()), int(rows.max())
    start = cell * size.jump + size.start
    assert max(0, start) <= first
    assert last < start + size.reach
    slack = (size.jump if name == "unet-small" else 0) * 4
    assert last - first + 1 >= min(image_px, size.reach - slack) - max(0, -start)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_weights_depend_on_the_seed_alone(name):
    spec = preset(name, image_px=32)

    def weights(seed):
        return make(spec, num_classes=3, seed=seed, **NORMAL).state_dict()

    before = torch.get_rng_state()
    first = weights(1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    again, other = weights(1), weights(2)
    assert all(torch.equal(again[key], tensor) for key, tensor in first.items())
    assert any(not torch.equal(other[key], tensor) for key, tensor in first.items())
    module = restore(spec, 3, first)
    assert all(torch.equal(module.state_dict()[key], first[key]) for key in first)
    assert not module.training


@pytest.mark.parametrize("name", NETWORKS)
def test_an_untrained_network_answers_with_numbers_and_all_of_it_learns(name):
    spec = preset(name, image_px=32)
    module = make(spec, num_classes=3, seed=0, **NORMAL)
    pixels = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 255
    logits = module(pixels)
    assert torch.isfinite(logits).all()
    logits.square().sum().backward()
    without = [
        key
        for key, weight in module.named_parameters()
        if weight.requires_grad and (weight.grad is None or not torch.isfinite(weight.grad).all())
    ]
    assert without == []


def test_the_second_convolution_of_the_small_cifar_network_hands_its_input_on():
    module = make(preset("cifar-small"), num_classes=3, seed=0, **NORMAL)
    x = torch.rand(1, 64, 5, 5)
    assert torch.equal(module.block1.conv2(x), x)
    first = module.conv.weight.flatten(1)[:12].double()
    assert torch.allclose(first @ first.T, torch.eye(12, dtype=torch.double), atol=1e-6)


def test_images_that_are_too_small_are_refused_in_words():
    with pytest.raises(ShapeError, match=r"cifar-small does not fit images of 8 × 8 px") as caught:
        measured(preset("cifar-small", image_px=8), 3)
    assert "larger images" in caught.value.fix


def test_every_ready_network_has_a_function_a_source_and_a_line_that_counts_right():
    assert list(NETWORKS) == list(READY)
    for name, ready in NETWORKS.items():
        assert ready.source.endswith(".")
        row = re.search(rf"\| {name} +\| (\d+) +\| ([\d,]+) ", presets.__doc__ or "")
        assert row is not None
        assert int(row[1]) == ready.image_px == preset(name).image_px
        count = sum(size.parameters for size in measured(preset(name), 1000))
        assert int(row[2].replace(",", "")) == count


def test_the_page_counts_right():
    page = (Path(__file__).parents[2] / "docs/rooms/model.md").read_text(encoding="utf-8")
    for name, ready in NETWORKS.items():
        large, small = measured(preset(name), 1000), measured(preset(name, image_px=32), 10)
        cells = [
            f"`{name}`",
            str(ready.image_px),
            f"{sum(size.parameters for size in large):,}",
            f"{sum(size.multiply_adds for size in large):,}",
            f"{sum(size.parameters for size in small):,}",
        ]
        assert f"| {' | '.join(cells)} |" in page
