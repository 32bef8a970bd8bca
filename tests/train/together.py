"""Several real processes that train together on this machine, forked so that none loads torch."""

import os
import pickle
import signal
import socket
from collections.abc import Callable
from typing import Any

import torch
from torch.distributed import TCPStore

from seethrough.model.mode import one_thread
from seethrough.train.parallel import ALONE, World, joined

_STORES: list[TCPStore] = []  # kept for as long as somebody may read in them


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def forked(size: int, work: Callable[[int], Any]) -> list[tuple[int, int]]:
    """Processes with the settings that torchrun gives; of each its id and the end of a pipe.

    What `work` returns is sent as a pickle; it is given the rank. As with torchrun, the place
    where they leave words for each other is kept by the one that started them. It opens once all
    are there: its thread looks up who comes, and a lock that it held then would be forked too.
    """
    started, doors = [], []
    for rank in range(size):
        out, into = os.pipe()
        door, opener = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                os.close(out)
                port = int.from_bytes(os.read(door, 4), "big")
                settings = {"RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
                os.environ |= {name: str(value) for name, value in settings.items()}
                os.environ |= {"MASTER_ADDR": "127.0.0.1", "LOCAL_RANK": str(rank)}
                os.environ["TORCHELASTIC_USE_AGENT_STORE"] = "True"
                torch.set_num_threads(1)  # the parent's threads were not forked with it
                with os.fdopen(into, "wb") as pipe:
                    pickle.dump(work(rank), pipe)
                os._exit(0)
            except BaseException as error:  # a child must never go on as a second test run
                os.write(2, f"rank {rank}: {type(error).__name__}: {error}\n".encode())
                os._exit(1)
        os.close(into)
        os.close(door)
        started.append((child, out))
        doors.append(opener)
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    _STORES.append(store)
    for opener in doors:
        os.write(opener, store.port.to_bytes(4, "big"))
        os.close(opener)
    return started


def together(size: int, work: Callable[[World], Any]) -> list[Any]:
    """What `work` gives in each process of a world; in a world of one, here."""
    if size == 1:
        with one_thread():
            return [work(ALONE)]

    def joining(rank: int) -> Any:
        with joined() as world:
            assert (world.rank, world.size) == (rank, size)
            return work(world)

    answers = []
    for child, pipe in forked(size, joining):
        with os.fdopen(pipe, "rb") as said:
            content = said.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code == 0, f"a process ended with {code}"
        answers.append(pickle.loads(content))
    return answers
