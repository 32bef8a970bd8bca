"""Small networks of the library transformers with random weights, saved as others publish them."""

import json
from pathlib import Path

import torch
import transformers
from torch import nn

from seethrough.model.hub.library import quiet

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLASSES = ("cat", "dog", "fox", "owl", "yak")
PREPROCESSING = {
    "do_normalize": True,
    "do_resize": True,
    "image_mean": MEAN,
    "image_std": STD,
    "size": 24,
}

# The families as they are, with fewer units and blocks.
TINY = {
    "bit": {"embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 1], "num_groups": 4},
    "convnext": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "convnextv2": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "efficientnet": {"width_coefficient": 0.25, "depth_coefficient": 0.2, "hidden_dim": 320},
    "mobilenet_v1": {"depth_multiplier": 0.25},
    "mobilenet_v2": {"depth_multiplier": 0.25},
    "poolformer": {
        "hidden_sizes": [8, 16],
        "depths": [1, 1],
        "patch_sizes": [3, 3],
        "strides": [2, 2],
        "padding": [1, 1],
        "num_encoder_blocks": 2,
    },
    "regnet": {
        "embedding_size": 8,
        "hidden_sizes": [8, 16],
        "depths": [1, 1],
        "groups_width": 4,
    },
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
}


def network(family: str, *, seed: int = 0, **changes: object) -> nn.Module:
    """A classifier of five classes whose running statistics are not those of nothing."""
    config = transformers.AutoConfig.for_model(
        family,
        **{**TINY[family], **changes},
        id2label=dict(enumerate(CLASSES)),
        label2id={label: number for number, label in enumerate(CLASSES)},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = transformers.AutoModelForImageClassification.from_config(config)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.1)
                part.running_var.uniform_(0.5, 1.5)
    return module.eval()


def saved(folder: Path, module: nn.Module, *, licence: str | None = "apache-2.0") -> Path:
    """The files of a repository."""
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        module.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSING))
    if licence is not None:
        (folder / "README.md").write_text(f"---\nlicense: {licence}\n---\n# A small network\n")
    return folder


def cached(home: Path, name: str, module: nn.Module, **more: str | None) -> Path:
    """The files in the layout of the hub's own cache, as the newest revision of `name`."""
    place = home / "hub" / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    return saved(place / "snapshots" / COMMIT, module, **more)
