"""The other end of a notebook's wire, where its page is: messages in, messages out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm


class Wire(BaseComm):
    """A comm that a kernel would carry to a page; what is sent is kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        super().__init__(*args, **kwargs)

    def publish_msg(self, msg_type: str, data: Any = None, **keys: Any) -> None:
        if msg_type == "comm_msg":
            buffers = [bytes(buffer) for buffer in keys.get("buffers") or []]
            self.sent.append((data, buffers))

    def asks(self, question: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """What Python sends back for one custom message of a page."""
        before = len(self.sent)
        data = {"method": "custom", "content": question}
        self.handle_msg({"content": {"data": data}, "buffers": []})
        answers = [(d["content"], b) for d, b in self.sent[before:] if d["method"] == "custom"]
        assert len(answers) == 1
        return answers[0]


@contextmanager
def running() -> Iterator[None]:
    """A kernel runs: comms reach somebody, as ipykernel and others arrange it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comm, "create_comm", Wire)
        yield
