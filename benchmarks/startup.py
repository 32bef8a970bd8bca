"""Seconds until a program is there: whole processes, from their start to their first answer."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from seethrough.data.builtin import builtin_path
from seethrough.data.load import load
from seethrough.model.presets import preset
from seethrough.runs.record import train
from seethrough.runs.store import list_runs
from seethrough.train.recipe import Recipe

ROUNDS = 5
RUNS = 1000
PYTHON = [sys.executable, "-m", "seethrough"]


def seconds_of(command: list[str]) -> float:
    """Median wall time of some runs after a warm-up."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def seconds_to_page(command: list[str]) -> float:
    """From the start of a process to the first byte of the page that it names on its output."""
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as runs:
            start = time.perf_counter()
            process = subprocess.Popen(
                [*command, "--no-open"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "SEETHROUGH_RUNS": runs, "PYTHONUNBUFFERED": "1"},
            )
            assert process.stdout is not None
            link = next(
                word for line in process.stdout for word in line.split() if "http://" in word
            )
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            opener.open(link).read()
            times.append(time.perf_counter() - start)
            process.terminate()
            process.wait()
    return statistics.median(times)


def seconds_to_list(count: int) -> float:
    """Median time of a list of so many finished runs, once its index is filled."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        photos = load(builtin_path("everyday"), image_px=32)
        run = train(photos, network=preset("demo"), recipe=Recipe(epochs=1), runs_dir=folder)
        manifest = json.loads((run.folder / "run.json").read_text())
        log = (run.folder / "log.jsonl").read_bytes()
        for number in range(count - 1):
            copy = folder / f"copy-{number:06d}"
            copy.mkdir()
            (copy / "run.json").write_text(json.dumps(manifest | {"id": copy.name}))
            (copy / "log.jsonl").write_bytes(log)
        times = []
        for _ in range(ROUNDS + 1):
            start = time.perf_counter()
            assert len(list_runs(folder)) == count
            times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def run() -> dict[str, Any]:
    """Seconds of each way to start."""
    return {
        "help_s": seconds_of([*PYTHON, "--help"]),
        "import_s": seconds_of([sys.executable, "-c", "import seethrough"]),
        "python_s": seconds_of([sys.executable, "-c", "pass"]),
        "studio_page_s": seconds_to_page([*PYTHON, "studio"]),
        "demo_page_s": seconds_to_page([*PYTHON, "demo"]),
        "list_of_1000_runs_s": seconds_to_list(RUNS),
    }
