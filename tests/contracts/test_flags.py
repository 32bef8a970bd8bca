"""Every word that a command takes; a flag exists only for what people type daily."""

import click
import pytest

from seethrough.cli import runs
from seethrough.cli.main import seethrough

FLAGS = {
    "demo": "--once --seed --port --no-open --runs-dir --json",
    "train": (
        "FOLDER --labels --model --from --image-px --epochs --minutes --seed --recipe "
        "--precision --threads --device --find-lr --resume --runs-dir --json"
    ),
    "steer": "RUN --pause --go-on --rate-factor --runs-dir",
    "runs": "--runs-dir --json",
    "runs stop": "RUN --runs-dir",
    "runs recipe": "RUN --runs-dir",
    "evaluate": "RUN --views --runs-dir --json",
    "predict": "RUN PATH... --runs-dir --json",
    "explain": (
        "RUN PHOTO --layer --unit --at --gradient --weight --bias --check --label --runs-dir --json"
    ),
    "timeline": "RUN --photo --layer --to --runs-dir --json",
    "compare": "RUN[@STEP] RUN[@STEP] --runs-dir --json",
    "verify": "RUN|MODULE:FUNCTION|FILE.onnx --cells --classes --image-px --runs-dir --json",
    "export": "RUN --to --output --runs-dir --json",
    "export-log": "RUN --csv --tensorboard --runs-dir",
    "studio": (
        "[RUN] --network --weights --classes --image-px --mean --std --photos "
        "--port --no-open --runs-dir"
    ),
}


def words_of(name):
    command = seethrough
    for word in name.split():
        command = command.get_command(click.Context(command), word)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from (*parameter.opts, *parameter.secondary_opts)
        else:
            yield parameter.metavar or parameter.name.upper()


@pytest.mark.parametrize("name", FLAGS)
def test_the_flags_of_a_command_are_exactly_these(name):
    assert sorted(words_of(name)) == sorted(FLAGS[name].split())


def test_there_are_no_other_commands():
    groups = {"": seethrough, "runs ": runs.command}
    listed = [
        f"{before}{name}"
        for before, group in groups.items()
        for name in group.list_commands(click.Context(group))
    ]
    assert sorted(listed) == sorted(FLAGS)
    assert seethrough.get_command(click.Context(seethrough), "main") is None
