"""Shared by every test: shapes are executed, and nothing outside a temporary folder is touched."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

# Several test processes share the cores: threads that wait must not spin (read by torch's import).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A shell lets its background jobs ignore Ctrl-C, and so do their children: some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples are drawn with a seed, and take as long as they take: a busy machine is slow, not wrong.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("house")

# Annotated array shapes of the whole package are checked while the tests run, at twice the time:
# tests in a browser, which come after all others, go without.
if os.environ.get("SEETHROUGH_SHAPES") != "unchecked":
    _hook = install_import_hook("seethrough", "beartype.beartype")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and cached data sets of a test live and die with it."""
    monkeypatch.setenv("SEETHROUGH_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SEETHROUGH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEETHROUGH_CONFIG", str(tmp_path / "config"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last: Playwright keeps an event loop in the thread that later tests need."""
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.timeout(7200))
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
