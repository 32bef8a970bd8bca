"""Run every check in turn: format, lint, types, layers, studio, tests, browser.

    python tools/check.py          what `make test` runs
    python tools/check.py --full   the same, with the heavy counts (`make test-full`)

Every check runs even where an earlier one failed, so one run shows everything that is wrong.
Tests run last, those in a browser on their own: what they drive is the program as users have it,
without the shapes of arrays being checked at every call, which doubles the time.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON_FOLDERS = ["src", "tests", "tools", "benchmarks", "hatch_build.py"]
STUDIO = [sys.executable, "tools/studio.py", "npm", "run", "--silent"]
# A file stays in one process, so that what is made for all its tests is made once.
PROCESSES = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Where the system's Chromium is: SEETHROUGH_CHROMIUM, else the PATH."""
    named = os.environ.get("SEETHROUGH_CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def ensure_chromium() -> str | None:
    """Install Chromium with the system's package manager where this user may; else say how."""
    found = find_chromium()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium for the browser tests…", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run(
                ["apt-get", *arguments], env=environment, check=False, stdout=subprocess.DEVNULL
            )
        found = find_chromium()
    if found is None:
        print(
            "The browser tests cannot run: no Chromium was found.\n"
            "why: they drive the real studio, and only an administrator can install a browser.\n"
            "fix: sudo apt-get install chromium, or set SEETHROUGH_CHROMIUM to a Chromium's path.",
            file=sys.stderr,
        )
    return found


def run(name: str, command: list[str], environment: dict[str, str] | None = None) -> bool:
    """One check, its output as it comes, and how long it took."""
    print(f"\n── {name}", flush=True)
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    state = "ok" if done.returncode == 0 else f"failed with exit code {done.returncode}"
    print(f"   {name}: {state}, {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


def main() -> None:
    """All checks; exit code 1 when any of them failed."""
    full = sys.argv[1:] == ["--full"]
    chromium = ensure_chromium()
    results = {
        "format": run("format", [f"{BIN}/ruff", "format", "--check", "-q", *PYTHON_FOLDERS]),
        "lint": run("lint", [f"{BIN}/ruff", "check", "-q", *PYTHON_FOLDERS]),
        "types": run("types", [f"{BIN}/mypy"]),
        "layers": run("layers", [f"{BIN}/lint-imports"]),
        "studio format": run("studio format", [*STUDIO, "format:check"]),
        "studio types": run("studio types", [*STUDIO, "check"]),
        "studio tests": run("studio tests", [*STUDIO, "test"]),
        "chromium": chromium is not None,
    }
    # Two test processes share the cores; one thread each is what they have.
    environment = {**os.environ, "SEETHROUGH_CHROMIUM": chromium or "", "OMP_NUM_THREADS": "1"}
    pytest = [f"{BIN}/pytest", "-q", *PROCESSES, "-m"]
    light = "" if full else " and not full"
    results["tests"] = run("tests", [*pytest, f"not browser{light}"], environment)
    if chromium is not None:
        environment["SEETHROUGH_SHAPES"] = "unchecked"
        results["browser tests"] = run("browser tests", [*pytest, f"browser{light}"], environment)
    failed = [name for name, passed in results.items() if not passed]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
