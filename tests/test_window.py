"""window.py: `see.studio()` in a process of its own shows the studio until Ctrl-C."""

import re
import signal
import subprocess
import sys
import urllib.request


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
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.read() == b"[]"
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "ended" in rest
    assert "Traceback" not in errors
