"""Write anew what the commands in the documentation print: `.venv/bin/python docs/printed.py`.

Makes the tutorial's folder, trains on it, runs each command and asks the server, all in a temporary
folder, and puts what they said into the pages. Needed after a change of what is printed, of the
ready network or of the default recipe. The run is called early-kingfisher, whatever its name was.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).parent
NAME = "early-kingfisher"
Lines = list[str]


def training(lines: Lines) -> Lines:
    """The beginning, two epochs and the last, without speeds and times."""
    epochs = [line for line in lines if line.startswith("epoch ")]
    cut = [re.sub(r"(test accuracy [\d.]+ %).*", r"\1, …", line) for line in epochs]
    timed = r"(take about|learns from) [\d,]+( min| h| s)?( \d+ (s|min))?"
    head = [re.sub(timed, r"\1 …", line) for line in lines[: lines.index(epochs[0])]]
    return [*head, *cut[:2], "…", cut[-1]]


def ending(kept_first: int) -> Callable[[Lines], Lines]:
    """The first lines of a table and the two sentences under it."""
    return lambda lines: [*lines[:kept_first], "…", *lines[-2:]]


def whole(lines: Lines) -> Lines:
    """All of it."""
    return lines


COMMANDS: tuple[tuple[str, str, Callable[[Lines], Lines]], ...] = (
    ("tutorial.md", "train photos/ --seed 7", training),
    ("tutorial.md", "evaluate last", whole),
    ("tutorial.md", "predict last cup.jpg", whole),
    ("tutorial.md", "explain last t5", whole),
    ("tutorial.md", "explain last t5 --layer conv2 --unit 3 --at 4,7", whole),
    ("tutorial.md", "verify last", ending(0)),
    ("rooms/explain.md", "explain last t5 --layer conv1 --unit 3 --at 0,5", whole),
    ("rooms/explain.md", "verify last", ending(5)),
    ("rooms/cli.md", "predict last photos/horse/0001.jpg photos/ship/list.jpg", whole),
)


def said(words: str) -> Lines:
    """What a command prints: standard output, then standard error; `train` without its score."""
    command = [sys.executable, "-m", "seethrough", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    text = done.stderr if words.startswith("train") else done.stdout + done.stderr
    return text.rstrip("\n").split("\n")


def replace(page: str, first: str, lines: Lines, run: str) -> None:
    """Put lines behind the line that begins with `$ first`, up to the next command or fence."""
    path = DOCS / page
    kept, is_old, found = [], False, 0
    for line in path.read_text(encoding="utf-8").split("\n"):
        is_old = is_old and not line.startswith(("$ ", "```"))
        if not is_old:
            kept.append(line)
        if line == f"$ {first}":
            is_old, found = True, found + 1
            kept += [each.replace(run, NAME) for each in lines]
    assert found == 1, f"{page}: {found} times $ {first}"
    path.write_text("\n".join(kept), encoding="utf-8")


def answers(run: str) -> dict[str, str]:
    """What the server says to the requests in http-api.md, by a part of each."""
    from starlette.testclient import TestClient

    from seethrough.runs.folder import default_runs_dir
    from seethrough.serve.app import create_app

    app = create_app(default_runs_dir(), token="t", port=8750)  # noqa: S106
    headers = {"authorization": "Bearer t", "origin": "http://127.0.0.1:8750"}
    client = TestClient(app, base_url="http://127.0.0.1:8750", headers=headers)
    picture = {"content": Path("cup.jpg").read_bytes()}
    named = {"content-type": "image/jpeg", "x-photo-name": "cup.jpg"}
    api = f"/api/runs/{run}"
    return {
        "/window": client.get("/api/window").text,
        "order=unsure": client.get(f"{api}/photos?limit=1&order=unsure").text,
        "/predict": client.post(f"{api}/predict", headers=named, **picture).text,
        "unit=99": client.get(f"{api}/photos/t5/equation?layer=conv1&unit=99&row=0&column=5").text,
    }


def main() -> None:
    """Everything, in a temporary folder."""
    page = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    makes_the_folder = re.search(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert makes_the_folder is not None
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.environ |= {"SEETHROUGH_RUNS": f"{place}/runs", "SEETHROUGH_CACHE": f"{place}/cache"}
        exec(makes_the_folder[1], {})  # noqa: S102
        Path("cup.jpg").write_bytes(Path("photos/horse/0007.jpg").read_bytes())
        printed = {words: said(words) for words in dict.fromkeys(each[1] for each in COMMANDS)}
        (run,) = (each.name for each in Path("runs").iterdir() if each.is_dir())
        for name, words, chosen in COMMANDS:
            replace(name, f"seethrough {words}", chosen(printed[words]), run)
        path = DOCS / "http-api.md"
        lines = path.read_text(encoding="utf-8").split("\n")
        for part, answer in answers(run).items():
            (at,) = (
                i for i, line in enumerate(lines[:-1]) if part in line and lines[i + 1][:1] == "{"
            )
            lines[at + 1] = answer.replace(run, NAME)
        path.write_text("\n".join(lines), encoding="utf-8")
        os.chdir(DOCS)


if __name__ == "__main__":
    main()
