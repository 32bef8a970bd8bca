"""Published networks: every known family computes as in its library, and its equations hold."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import CheckpointError, SpecError
from seethrough.explain.verify import verify
from seethrough.model.build import Normalise
from seethrough.model.coded import ModuleSpec, Origin
from seethrough.model.hub import architecture
from seethrough.model.hub.architecture import FAMILIES, build, classes_of, load, text_of
from seethrough.model.make import make
from seethrough.model.recorded import measured
from seethrough.model.reference import joined

from .tiny import CLASSES, MEAN, STD, TINY, network, saved


def _stored(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """The module of the library, and the folder that it was saved in."""
    module = network("resnet")
    return module, saved(tmp_path_factory.mktemp("resnet"), module)


def test_every_known_family_is_looked_at_here():
    assert set(TINY) == set(FAMILIES)


def _images():
    return np.random.default_rng(3).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_says_what_its_library_says(family, tmp_path):
    module = network(family)
    folder = saved(tmp_path / family, module)
    ours = load(folder, text_of(_stored(folder), family), len(CLASSES), family)
    pixels = (_images() / 255 - np.array(MEAN)) / np.array(STD)
    given = torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)
    with torch.no_grad():
        theirs = module(pixel_values=given).logits
        said = joined(Normalise(MEAN, STD), ours)(torch.from_numpy(_images()).permute(0, 3, 1, 2))
    assert torch.allclose(said, theirs, atol=1e-5)


OFTEN = ("convnext",)  # a ResNet is verified in tests/cli; all others take a minute together


@pytest.mark.parametrize(
    "family",
    [each if each in OFTEN else pytest.param(each, marks=pytest.mark.full) for each in FAMILIES],
)
def test_every_equation_of_a_family_holds_forwards_and_backwards(family):
    whole = nn.Sequential()
    whole.add_module("normalise", Normalise(MEAN, STD))
    whole.add_module("network", network(family))
    whole.add_module("answer", architecture.Answer())
    found = verify(whole, _images(), cells=10)
    assert found.holds
    assert found.adds_up == 1
    assert found.gradients
    # global response normalisation has no equation here: it is a box with its values
    boxes = {name.split(".layers.0.")[1].split(".")[0] for name in found.unknown}
    assert boxes == ({"grn", "pwconv2"} if family == "convnextv2" else set())


@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_are_known_without_a_single_number(family, tmp_path):
    text = json.dumps({"family": family, **TINY[family]})
    spec = ModuleSpec(name=family, image_px=32, text="hf:./x", origin=Origin.HF, source=text)
    layers = measured(spec, 7)
    module = build(text, 7)
    assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in module.parameters())
    assert layers[-1].shape == (7,)


def test_a_text_holds_all_numbers_of_its_family_and_nothing_else(resnet):
    module, folder = resnet
    stored = _stored(folder)
    stored |= {
        "auto_map": {"AutoModelForImageClassification": "evil.Network"},
        "quantization_config": {"quant_method": "x"},
        "_name_or_path": "/home/somebody",
        "attn_implementation": "somebody/kernels",
    }
    fields = json.loads(text_of(stored, "it"))
    wanted = {"num_channels", "embedding_size", "hidden_sizes", "depths", "layer_type"}
    wanted |= {"hidden_act", "downsample_in_first_stage", "downsample_in_bottleneck"}
    assert fields.keys() == {"family", *wanted}
    assert {name: fields[name] for name in wanted} == {
        name: getattr(module.config, name) for name in wanted
    }
    assert text_of(
        fields | {"model_type": "resnet", "architectures": ["XForImageClassification"]}, "it"
    ) == text_of(stored, "it")


def test_what_else_stands_in_a_text_is_not_read():
    text = {"family": "resnet", **TINY["resnet"], "auto_map": {"AutoConfig": "evil.Config"}}
    module = build(json.dumps(text), 3)
    assert type(module[0]).__module__.startswith("transformers.models.resnet.")
    assert not hasattr(module[0].config, "auto_map")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"family": "os"}', '{"depths": [1]}'])
def test_a_text_without_a_known_family_is_refused(text):
    with pytest.raises(SpecError, match="configuration cannot be read"):
        build(text, 3)


def test_numbers_that_the_library_refuses_are_refused_with_its_words():
    with pytest.raises(SpecError, match="configuration of it cannot be used") as caught:
        text_of(
            {
                "model_type": "resnet",
                "architectures": ["ResNetForImageClassification"],
                "layer_type": "fancy",
            },
            "it",
        )
    assert "fancy" in caught.value.why


def test_a_network_that_brings_code_is_refused():
    stored = {"model_type": "mine", "auto_map": {"AutoConfig": "config.Mine"}}
    with pytest.raises(SpecError, match="brings code of its own") as caught:
        text_of(stored, "hf:some/body")
    assert "never run" in caught.value.why


@pytest.mark.parametrize(
    ("family", "kind"),
    [("bert", "BertForMaskedLM"), ("vit", "ViTForImageClassification"), ("resnet", "ResNetModel")],
)
def test_what_is_no_convolutional_classifier_is_refused_with_what_it_is(family, kind):
    with pytest.raises(SpecError, match="no convolutional image classifier") as caught:
        text_of({"model_type": family, "architectures": [kind]}, "hf:some/body")
    assert family in caught.value.why
    assert kind in caught.value.why


@pytest.mark.parametrize(
    "stored",
    [
        {"architecture": "resnet18", "pretrained_cfg": {"input_size": [3, 224, 224]}},
        {"model_type": "timm_wrapper", "architectures": ["TimmWrapperForImageClassification"]},
    ],
)
def test_a_network_of_timm_is_refused_by_its_name(stored):
    with pytest.raises(SpecError, match="library timm") as caught:
        text_of(stored, "hf:timm/resnet18")
    assert "torchvision" in caught.value.why


def test_a_network_for_other_than_three_colours_is_refused(resnet):
    _, folder = resnet
    with pytest.raises(SpecError, match="images of 1 channels"):
        text_of(_stored(folder) | {"num_channels": 1}, "it")


def test_classes_are_those_of_the_head_in_its_order(resnet):
    _, folder = resnet
    assert classes_of(_stored(folder), "it") == CLASSES
    assert len(classes_of({}, "it")) == 2
    with pytest.raises(SpecError, match="which classes"):
        classes_of({"id2label": {"1": "cat", "2": "dog"}}, "it")


def test_weights_of_another_network_are_refused(resnet):
    _, folder = resnet
    larger = json.dumps({"family": "resnet", **TINY["resnet"], "depths": [2, 1]})
    with pytest.raises(CheckpointError, match="do not fit its configuration") as caught:
        load(folder, larger, len(CLASSES), "it")
    assert "missing: resnet.encoder.stages.0.layers.1" in caught.value.why
    other = json.dumps({"family": "resnet", **TINY["resnet"], "embedding_size": 4})
    with pytest.raises(CheckpointError, match="do not fit its configuration"):
        load(folder, other, len(CLASSES), "it")


def test_a_file_from_before_batches_were_counted_is_complete_and_more_than_needed_is_no_fault(
    resnet, tmp_path
):
    from safetensors.torch import load_file, save_file

    module, _ = resnet
    folder = saved(tmp_path, module)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    old = {name: each for name, each in tensors.items() if "num_batches" not in name}
    assert len(old) < len(tensors)
    save_file({**old, "another.weight": torch.ones(2)}, path, metadata={"format": "pt"})
    loaded = load(folder, text_of(_stored(folder), "it"), len(CLASSES), "it")
    for name, tensor in loaded[0].state_dict().items():
        assert torch.equal(tensor, module.state_dict()[name]), name


def test_damaged_weights_are_refused(resnet, tmp_path):
    module, _ = resnet
    folder = saved(tmp_path, module)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="do not fit its configuration"):
        load(folder, text_of(_stored(folder), "it"), len(CLASSES), "it")


def test_untrained_weights_depend_on_the_seed_alone():
    text = json.dumps({"family": "resnet", **TINY["resnet"]})
    spec = ModuleSpec(name="x", image_px=32, text="hf:./x", origin=Origin.HF, source=text)

    def weights(seed):
        made = make(spec, num_classes=3, mean=MEAN, std=STD, seed=seed)
        return nn.utils.parameters_to_vector(made.parameters())

    torch.manual_seed(8)
    before = torch.get_rng_state()
    first = weights(1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(9)
    assert torch.equal(weights(1), first)
    assert not torch.equal(weights(2), first)


def test_the_library_is_as_talkative_afterwards_as_before(resnet):
    from transformers.utils import logging

    _, folder = resnet
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(folder, text_of(_stored(folder), "it"), len(CLASSES), "it")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_a_missing_library_is_said_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(SpecError, match="need the library transformers") as caught:
        architecture.build('{"family": "resnet"}', 2)
    assert caught.value.fix == "pip install 'seethrough[hf]'"
