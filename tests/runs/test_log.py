"""log.py: appended, torn, cut, read from anywhere."""

import hashlib
import json
import os
import resource

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seethrough.errors import StorageError
from seethrough.runs import log
from seethrough.runs.log import Log, Position

values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
written_events = st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=8)
same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def write(path, events, *, keep=0):
    opened = Log(path, keep=keep)
    for event in events:
        opened.append(event)
    position = opened.sync()
    opened.close()
    return position


@same_folder
@given(events=written_events)
def test_what_is_appended_is_read_back_with_the_place_after_each_line(tmp_path, events):
    path = tmp_path / "log.jsonl"
    position = write(path, events)
    content = path.read_bytes()
    assert [event for _, event in log.read(path)] == events
    assert content.count(b"\n") == len(events)
    ends = [end for end, _ in log.read(path)]
    assert [content[:end].count(b"\n") for end in ends] == list(range(1, len(events) + 1))
    assert position == Position(len(content), hashlib.sha256(content).hexdigest())
    for number, end in enumerate(ends, start=1):
        assert [event for _, event in log.read(path, after=end)] == events[number:]


def test_a_torn_last_line_does_not_count_and_is_cut_away(tmp_path):
    path = tmp_path / "log.jsonl"
    whole = write(path, [{"a": 1}, {"b": 2}])
    second = json.dumps({"b": 2}).encode()
    for torn in range(1, len(second) + 1):
        path.write_bytes(path.read_bytes()[: whole.length - len(second) - 1] + second[:torn])
        assert [event for _, event in log.read(path)] == [{"a": 1}]
    first = whole.length - len(second) - 1
    write(path, [{"c": 3}], keep=first)
    assert [event for _, event in log.read(path)] == [{"a": 1}, {"c": 3}]


def test_a_place_that_is_no_longer_between_lines_reads_from_the_start(tmp_path):
    path = tmp_path / "log.jsonl"
    write(path, [{"a": 1}, {"b": 2}])
    assert [event for _, event in log.read(path, after=3)] == [{"a": 1}, {"b": 2}]
    assert [event for _, event in log.read(path, after=10_000)] == [{"a": 1}, {"b": 2}]


def test_a_log_that_is_not_there_is_empty(tmp_path):
    assert list(log.read(tmp_path / "log.jsonl")) == []
    assert not log.begins_with(tmp_path / "log.jsonl", Position(1, "0" * 64))


def test_a_cut_log_continues_as_if_the_rest_had_never_been(tmp_path):
    path, other = tmp_path / "log.jsonl", tmp_path / "other.jsonl"
    kept = write(path, [{"a": 1}])
    write(path, [{"wrong": 2}, {"wrong": 3}], keep=kept.length)
    assert log.begins_with(path, kept)
    resumed = write(path, [{"b": 2}], keep=kept.length)
    assert resumed == write(other, [{"a": 1}, {"b": 2}])
    assert path.read_bytes() == other.read_bytes()
    path.write_bytes(path.read_bytes().replace(b"1", b"7"))
    assert not log.begins_with(path, kept)


def test_a_number_that_is_none_is_refused_before_anything_is_written(tmp_path):
    opened = Log(tmp_path / "log.jsonl", keep=0)
    with pytest.raises(ValueError, match="not JSON compliant"):
        opened.append({"loss": float("nan")})
    assert opened.sync().length == 0
    opened.close()


def test_a_line_that_does_not_fit_on_the_disk_leaves_no_trace(tmp_path):
    path = tmp_path / "log.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    opened = Log(path, keep=0)
    opened.append({"a": 1})
    position = opened.sync()
    try:
        # the system lets the file grow by four bytes more: a short write, then a refusal
        resource.setrlimit(resource.RLIMIT_FSIZE, (position.length + 4, before[1]))
        with pytest.raises(StorageError, match=r"log\.jsonl could not be written: 9 bytes needed"):
            opened.append({"b": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.stat().st_size == position.length
    opened.append({"c": 3})
    opened.close()
    assert [event for _, event in log.read(path)] == [{"a": 1}, {"c": 3}]


def test_lines_are_there_for_readers_before_the_log_is_closed(tmp_path):
    opened = Log(tmp_path / "log.jsonl", keep=0)
    opened.append({"a": 1})
    assert [event for _, event in log.read(tmp_path / "log.jsonl")] == [{"a": 1}]
    opened.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fsync(opened._file)
