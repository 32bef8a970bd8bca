"""`seethrough`: finds the command, and says what went wrong in three lines.

    0     done
    1     a fault of ours: please report the traceback; or `verify` found a difference
    2     a mistake that can be mended: what, why and fix stand on standard error
    130   stopped with Ctrl-C or SIGTERM; everything that was learned is saved
    141   whoever was reading standard output has left

Standard output is empty when the code is 2, with --json too (`predict` excepted: its list says
for every file why it could not be read). A command's file is imported when the command is asked
for; torch and the server are imported when it runs.
"""

import importlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click

from seethrough.cli.terminal import say_error
from seethrough.errors import SeethroughError
from seethrough.version import __version__

COMMANDS = (
    "demo",
    "train",
    "steer",
    "runs",
    "evaluate",
    "predict",
    "explain",
    "timeline",
    "compare",
    "verify",
    "export",
    "export-log",
    "studio",
)


class _Commands(click.Group):
    """Imports a command's file when the command is needed, and lists them in the order of use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, from the file of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"seethrough.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def seethrough() -> None:
    """Train a convolutional neural network on your images and see every number in it.

    \b
    seethrough demo                     train on built-in photos while you watch
    seethrough train photos/            your own: one folder a class, or a zip of that
    seethrough predict last cup.jpg     ask the network that was trained last

    RUN is the name of a run, the beginning of one, its folder, or the word last.
    """


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does: files that are half written are removed first."""
    here, number = threading.current_thread(), signal.SIGTERM
    if here is not threading.main_thread() or signal.getsignal(number) is not signal.SIG_DFL:
        yield
        return

    def end(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(number, end)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code, as in the module's table."""
    try:
        with _ending_in_order():
            code = seethrough.main(arguments, prog_name="seethrough", standalone_mode=False)
    except SeethroughError as error:
        say_error(error)
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        return 130
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
