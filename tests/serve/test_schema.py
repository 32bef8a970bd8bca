"""schema.py: the document from which the studio's types are made."""

import inspect
import json
import subprocess
import sys

import pytest
from pydantic import BaseModel

from seethrough.serve import wire
from seethrough.serve.schema import document


@pytest.fixture(scope="module")
def schema():
    return json.loads(document())


def test_it_is_the_same_bytes_in_another_process():
    command = [sys.executable, "-m", "seethrough.serve.schema"]
    printed = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "1"}
    )
    assert printed.stdout == document()
    assert printed.stderr == ""


def test_every_message_of_the_wire_is_in_it(schema):
    declared = {
        name
        for name, value in vars(wire).items()
        if inspect.isclass(value)
        and issubclass(value, BaseModel)
        and value.__module__.startswith(wire.__name__)
        and "[" not in name
    } - {"Message"}
    assert declared == set(schema["components"]["schemas"])


def test_every_route_has_a_readable_name_an_answer_and_a_refusal(schema):
    names = []
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            names.append(operation["operationId"])
            assert operation["operationId"].isidentifier(), path
            for status, answer in operation["responses"].items():
                for media in answer.get("content", {}).values():
                    assert media["schema"], (path, status)
            refusal = operation["responses"]["default"]["content"]["application/json"]
            assert refusal["schema"] == {"$ref": "#/components/schemas/ErrorMessage"}
    assert len(names) == len(set(names))


def test_a_message_with_a_field_too_many_is_refused():
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        wire.ErrorMessage(what="a", why="b", fix="c", path="/home/somebody")
