"""window.py: `see.studio()` in a process of its own shows the studio until Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from seethrough.errors import DataError
from seethrough.window import studio

PATIENCE_S = 60  # a busy machine is slow, not wrong


def test_the_studio_answers_until_ctrl_c(tmp_path):
    code = "import seethrough as see; see.studio(opens_browser=False); print('ended')"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        link = process.stdout.readline().strip()
        host, token = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/runs\?token=(.+)", link).groups()
        asked = urllib.request.Request(
            f"{host}/api/runs", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            assert answer.read() == b"[]"
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "ended" in rest
    assert "Traceback" not in errors


WRAPPED = """
import torch
from torch import nn
import seethrough as see

torch.manual_seed(0)
module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2))
see.studio(see.wrap(module, classes=["a", "b"], image_px=8), name="mine", opens_browser=False)
"""


def test_any_classifier_is_opened_and_nothing_is_written(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", WRAPPED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SEETHROUGH_RUNS": str(tmp_path / "runs")},
    ) as process:
        assert process.stdout is not None
        link = process.stdout.readline().strip()
        pattern = r"(http://127\.0\.0\.1:\d+)/look/(n-[0-9a-f]{12})\?token=(.+)"
        host, name, token = re.fullmatch(pattern, link).groups()
        asked = urllib.request.Request(
            f"{host}/api/opened", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            (told,) = json.loads(answer.read())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert (told["id"], told["name"], told["origin"]) == (name, "mine", "opened from Python")
    assert told["photos"] is None
    assert not (tmp_path / "runs").exists()


def test_photos_without_a_classifier_are_refused():
    with pytest.raises(DataError, match="photos and name go with a classifier"):
        studio(photos="photos/")
