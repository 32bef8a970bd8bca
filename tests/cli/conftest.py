"""A tiny data set of coloured shapes, a run trained on it, and the program called in process."""

import contextlib
import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from seethrough.cli.main import main

NETWORK = "conv 4 k3 s2 p1, norm, relu, maxpool 2, flatten, dense"
ASKED = ("--model", NETWORK, "--image-px", "12", "--epochs", "2", "--seed", "7")


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def seethrough(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, in this process: loading torch anew would cost each test three seconds."""

    def command(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return command


@contextlib.contextmanager
def ctrl_c(when: Callable[[], object], *, patience_s: float = 120) -> Iterator[None]:
    """Press Ctrl-C in this process once something is so, or when patience ends.

    Nothing is pressed after the `with`, where it would hit the tests themselves.
    """
    over = threading.Event()

    def wait_then_press() -> None:
        deadline = time.monotonic() + patience_s
        while not over.wait(0.02):
            if when() or time.monotonic() > deadline:
                os.kill(os.getpid(), signal.SIGINT)
                return

    presser = threading.Thread(target=wait_then_press)
    presser.start()
    try:
        yield
    finally:
        over.set()
        presser.join()


@contextlib.contextmanager
def ctrl_c_at_a_step(when: Callable[[], object] = lambda: True) -> Iterator[None]:
    """Press Ctrl-C once, in the first step of a training in this thread at which something is so.

    Whoever waits for it beside the training may look when it is over already.
    """
    backward, is_pressed = torch.Tensor.backward, []

    def pressing(*arguments: Any, **options: Any) -> None:
        if not is_pressed and when():
            is_pressed.append(True)
            signal.raise_signal(signal.SIGINT)
        backward(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "backward", pressing)
        yield
    assert is_pressed


def logged(runs_dir: Path, words: str) -> bool:
    """Whether the log of any run has these words in it."""
    return any(words in path.read_text() for path in runs_dir.glob("*/log.jsonl"))


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty noisy pictures of 16 px of each of three shapes."""
    root = tmp_path_factory.mktemp("data") / "shapes"
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:16, :16]
    for place, name in enumerate(("circle", "square", "stripe")):
        (root / name).mkdir(parents=True)
        for number in range(20):
            picture = rng.integers(0, 60, (16, 16, 3)).astype(np.uint8)
            size, row, column = rng.integers(3, 6), rng.integers(5, 11), rng.integers(5, 11)
            inside = (
                (rows - row) ** 2 + (columns - column) ** 2 < size**2,
                (abs(rows - row) < size) & (abs(columns - column) < size),
                (rows + columns) % 6 < 3,
            )[place]
            picture[inside, place] += 190
            Image.fromarray(picture).save(root / name / f"{number:02}.png")
    return root


@dataclass(frozen=True)
class Trained:
    """A finished run, and what `train --json` said of it."""

    id: str
    runs_dir: Path
    said: dict[str, Any]


@pytest.fixture(scope="session")
def trained(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One run for all tests that only read it."""
    runs_dir = tmp_path_factory.mktemp("trained") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(tmp_path_factory.mktemp("cache")))
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main(["train", str(shapes), *ASKED, "--runs-dir", str(runs_dir), "--json"]) == 0
    said = json.loads(out.getvalue())
    return Trained(said["run"], runs_dir, said)
