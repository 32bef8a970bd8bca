"""Several processes that train one network together: the only file that knows ranks.

    torchrun --nproc-per-node 2 -m seethrough train photos/

Every process has the whole network and takes the same steps; each computes its slices of every
batch (`train.slices`), and gradients and statistics are added up along one tree:

    every process is given one part of everybody's numbers     all_to_all
    it adds that part up, along the tree                       here
    everybody is given all added parts                         broadcast

A number travels about twice, however many processes there are, and is added in the same order by
one process or by many. A world of one, which is the default everywhere, says nothing to anybody.
The first process (rank 0) leads: its weights, its recipe and its run are everybody's.
Numbers that lie on graphics cards travel by NCCL, a card a process; everything else by gloo.

Each also tells once a second that it lives. One that is gone is named by the others, which end
too: at once where its connections broke, after STALE_S where it only fell silent.
"""

import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor
from torch.distributed import PrefixStore, Store, TCPStore  # type: ignore[attr-defined]

from seethrough.errors import ParallelError, RecipeError, SeethroughError
from seethrough.model import checkpoint
from seethrough.train.events import TrainState
from seethrough.train.tree import Tree, branches

BEAT_S = 1.0
QUIET_S = 4.0  # without a beat, once a connection broke, and a process counts as gone
STALE_S = 15.0  # without a beat, whatever else is so
_MEETING = timedelta(minutes=10)  # for all to come
# Whether somebody is gone is told by the beats: a wait may be as long as reading a data set.
_PATIENCE = timedelta(days=7)


class World:
    """The processes that train together; this one alone, unless `joined` says otherwise."""

    size = 1
    rank = 0
    speaks = True  # whether errors are told here

    @property
    def leads(self) -> bool:
        """Whether the run is recorded here."""
        return self.rank == 0

    def check(self, slices: int) -> None:
        """RecipeError where a batch has fewer slices than there are processes."""
        if self.size > slices:
            raise RecipeError(
                f"{self.size} processes cannot share a batch of slices={slices}.",
                why="each computes whole slices, and how a batch is cut is a matter of the recipe.",
                fix=f"start {slices} or fewer, or train a new run with slices={self.size}.",
            )

    def own(self, pieces: int) -> range:
        """Which pieces of some work are done here: slices of a batch, or chunks to judge."""
        return self._of(self.rank, pieces)

    def turns(self, pieces: int) -> int:
        """The largest number of pieces that anybody does."""
        return -(-pieces // self.size)

    def rows(
        self, own: Sequence[Sequence[float]], pieces: int, width: int
    ) -> Float[Tensor, "pieces width"]:
        """A row of numbers for each piece, in order, from those of the own ones."""
        return torch.tensor(own, dtype=torch.float64).reshape(pieces, width)

    def total(self, own: Tree[Tensor], like: Tensor, slices: int) -> Tensor:
        """The sum over all slices along the tree; `like` is a tensor of its size and type.

        It is good until the next one is asked for.
        """
        return own.total()

    def agreed(self, wish: bool) -> bool:  # noqa: FBT001 - a wish is yes or no
        """Whether anybody wishes it."""
        return wish

    def same(self, number: float) -> float:
        """The number of the first process, for everybody."""
        return number

    def told(self, content: bytes) -> bytes:
        """What the first process says, for everybody; what others give is not used."""
        return content

    def state(self, own: TrainState) -> TrainState:
        """The state of the first process, for everybody."""
        return own

    def _of(self, rank: int, pieces: int) -> range:
        return range(rank * pieces // self.size, (rank + 1) * pieces // self.size)


ALONE = World()


class _Several(World):
    """Processes that were started together."""

    def __init__(self, pulse: "Pulse") -> None:
        self.size, self.rank = dist.get_world_size(), dist.get_rank()
        self._pulse = pulse
        self._group = dist.new_group(timeout=_PATIENCE)
        self._rooms: dict[str, Tensor] = {}

    @property
    def speaks(self) -> bool:  # type: ignore[override]
        """The first process that is left."""
        return self._pulse.speaks

    def rows(
        self, own: Sequence[Sequence[float]], pieces: int, width: int
    ) -> Float[Tensor, "pieces width"]:
        counts = [len(self._of(rank, pieces)) for rank in range(self.size)]
        table = torch.zeros(max(counts), width, dtype=torch.float64)
        if own:
            table[: len(own)] = torch.tensor(own, dtype=torch.float64)
        tables = self._gathered(table)
        return torch.cat([part[:count] for part, count in zip(tables, counts, strict=True)])

    def total(self, own: Tree[Tensor], like: Tensor, slices: int) -> Tensor:
        ranges = [self._of(rank, slices) for rank in range(self.size)]
        plans = [list(branches(each.start, each.stop)) for each in ranges]
        part, count = -(-len(like) // self.size), len(own.branches)
        sent = self._room("sent", like, self.size, count, part)
        for number, branch in enumerate(own.branches):
            for rank, piece in enumerate(torch.split(branch.value, part)):
                sent[rank, number, : len(piece)] = piece
        received = self._room("received", like, sum(map(len, plans)), part)
        theirs = [len(plan) * part for plan in plans]
        with self._together():
            dist.all_to_all_single(
                received.view(-1),
                sent.view(-1),
                theirs,
                [count * part] * self.size,
                group=self._group,
            )
        tree = Tree[Tensor]()
        every = (branch for plan in plans for branch in plan)
        for (first, level), row in zip(every, received, strict=True):
            tree.add(first, level, row)
        result = self._room("result", like, self.size, part)
        result[self.rank] = tree.total()
        with self._together():
            for rank, piece in enumerate(result):  # gloo's all_gather copies everything twice
                dist.broadcast(piece, src=rank, group=self._group)
        return result.view(-1)[: len(like)]

    def _room(self, name: str, like: Tensor, *shape: int) -> Tensor:
        """Memory that was used before: what is new costs more than to send it."""
        count = math.prod(shape)
        room = self._rooms.get(name)
        if room is None or len(room) != count or room.dtype != like.dtype:
            room = self._rooms[name] = like.new_zeros(count)
        return room.view(shape)

    def agreed(self, wish: bool) -> bool:  # noqa: FBT001
        return bool(self._gathered(torch.tensor([int(wish)])).any())

    def same(self, number: float) -> float:
        said = torch.tensor([number], dtype=torch.float64)
        with self._together():
            dist.broadcast(said, src=0, group=self._group)
        return float(said)

    def told(self, content: bytes) -> bytes:
        length = torch.tensor([len(content)])
        with self._together():
            dist.broadcast(length, src=0, group=self._group)
        said = torch.zeros(int(length), dtype=torch.uint8)
        if self.leads and content:
            said.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        with self._together():
            dist.broadcast(said, src=0, group=self._group)
        return said.numpy().tobytes()

    def state(self, own: TrainState) -> TrainState:
        scalars = json.dumps({**own.scalars, "step": own.step, "epoch": own.epoch})
        mine = checkpoint.pack(own.tensors, {"scalars": scalars}) if self.leads else b""
        tensors, metadata = checkpoint.unpack(self.told(mine), name="The first process's state")
        numbers = json.loads(metadata["scalars"])
        step, epoch = numbers.pop("step"), numbers.pop("epoch")
        return TrainState(step=step, epoch=epoch, tensors=tensors, scalars=numbers)

    def _gathered(self, own: Tensor) -> Tensor:
        """Everybody's tensor of one shape, in the order of the ranks."""
        every = own.new_empty(self.size, *own.shape)
        with self._together():
            dist.all_gather(list(every.unbind(0)), own.contiguous(), group=self._group)
        return every

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """What all do at once: where it fails, somebody is gone, and it is said who."""
        try:
            yield
        except RuntimeError as error:
            raise self._pulse.missing() from error


def is_several() -> bool:
    """Whether this process was started as one of several, by torchrun or in its way."""
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    return all(name in os.environ for name in names) and os.environ["WORLD_SIZE"] != "1"


@contextlib.contextmanager
def joined() -> Iterator[World]:
    """The world that this process was started in; alone, unless torchrun started several.

    Raises ParallelError where another process is gone.
    """
    if not is_several():
        yield ALONE
        return
    dist.init_process_group(_backend(int(os.environ.get("LOCAL_RANK", "0"))), timeout=_MEETING)
    pulse = Pulse(_store(), dist.get_rank(), dist.get_world_size())
    pulse.start()
    try:
        yield _Several(pulse)
    except BaseException as error:
        pulse.leave(error)
        raise
    else:
        pulse.leave(None)
    finally:
        dist.destroy_process_group()


def _backend(local_rank: int) -> str:
    """What tensors travel by, on the processor and on this process's card, if it has one."""
    if local_rank >= torch.cuda.device_count():
        return "gloo"
    torch.cuda.set_device(local_rank)
    return "cpu:gloo,cuda:nccl"


def _store() -> Store:
    """Where the processes tell that they live; a connection of its own, for another thread."""
    settings = os.environ
    store = TCPStore(
        settings["MASTER_ADDR"],
        int(settings["MASTER_PORT"]),
        is_master=False,
        wait_for_workers=False,
        timeout=timedelta(seconds=STALE_S),
    )
    once = f"{settings.get('TORCHELASTIC_RUN_ID')}/{settings.get('TORCHELASTIC_RESTART_COUNT')}"
    return PrefixStore(f"seethrough/{once}", store)


class Pulse:
    """Tells the other processes that this one lives, and finds out which one does not."""

    def __init__(self, store: Store, rank: int, size: int) -> None:
        self._store, self._rank, self._size = store, rank, size
        self._seen = dict.fromkeys(range(size), (0, time.monotonic()))  # beats, and since when
        self._gone: int | None = None
        self._was_told = False  # whether the first process left with words of its own
        self._over = threading.Event()
        # Two threads: whoever tells may wait for an answer that never comes.
        self._threads = [
            threading.Thread(target=work, name=work.__name__, daemon=True)
            for work in (self._tell, self._watch)
        ]

    @property
    def speaks(self) -> bool:
        """Whether this is the first process that is left, unless one that left has said why."""
        return self._rank == (1 if self._gone == 0 and not self._was_told else 0)

    def start(self) -> None:
        """Beat until `leave`."""
        for thread in self._threads:
            thread.start()

    def leave(self, error: BaseException | None) -> None:
        """Stop beating; the first one that leaves with an error tells the others which."""
        self._over.set()
        for thread in self._threads:
            thread.join(2 * BEAT_S)
        with contextlib.suppress(RuntimeError):  # who keeps the store may have left before
            if error is not None:
                said = error if isinstance(error, ParallelError) else self._ended(error)
                words = {"what": said.what, "why": said.why, "fix": said.fix}
                gone = self._rank if self._gone is None else self._gone
                told = {**words, "gone": gone, "was_told": gone == self._rank == 0}
                self._store.compare_set("first", "", json.dumps(told))
            self._store.add(f"left/{self._rank}", 1)

    def missing(self) -> ParallelError:
        """Who is gone, after a connection broke: the one that said so, or that beats no more.

        Comes back no sooner than those who started the processes can have seen it themselves.
        """
        noticed = time.monotonic()
        told: Mapping[str, str | int] | None = None
        while told is None and self._gone is None and time.monotonic() < noticed + 2 * QUIET_S:
            told = self._first()
            quiet = self._quietest()
            if quiet is not None and time.monotonic() > self._seen[quiet][1] + QUIET_S:
                self._gone = quiet
            time.sleep(BEAT_S / 4)
        time.sleep(max(0.0, noticed + 2 * BEAT_S - time.monotonic()))
        if told is not None:
            self._gone, self._was_told = int(told["gone"]), bool(told["was_told"])
            return ParallelError(str(told["what"]), why=str(told["why"]), fix=str(told["fix"]))
        return self._lost(self._gone)

    def _first(self) -> Mapping[str, str | int] | None:
        try:
            said = json.loads(self._store.get("first")) if self._store.check(["first"]) else None
        except RuntimeError:
            return None
        assert said is None or isinstance(said, dict)
        return said

    def _tell(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                self._store.add(f"beat/{self._rank}", 1)
                for rank in self._others():
                    beats = self._store.add(f"beat/{rank}", 0)
                    if beats != self._seen[rank][0] or self._store.add(f"left/{rank}", 0):
                        self._seen[rank] = (beats, time.monotonic())
            except RuntimeError:
                pass  # the store is gone, and with it whoever keeps it: nobody is heard any more

    def _watch(self) -> None:
        while not self._over.wait(BEAT_S):
            quiet = self._quietest()
            if quiet is not None and time.monotonic() > self._seen[quiet][1] + STALE_S:
                self._end(quiet)

    def _end(self, rank: int) -> None:
        """End this process: its main thread may wait for the lost one, and nothing wakes it."""
        self._gone = rank
        if self._over.wait(2 * BEAT_S):
            return
        if self.speaks:
            sys.stderr.write(f"{self._lost(rank)}\n")
            sys.stderr.flush()
        os._exit(2)

    def _quietest(self) -> int | None:
        return min(self._others(), key=lambda rank: self._seen[rank][1], default=None)

    def _others(self) -> list[int]:
        return [rank for rank in range(self._size) if rank != self._rank]

    def _lost(self, rank: int | None) -> ParallelError:
        who = "A process" if rank is None else f"The process with rank {rank}"
        return ParallelError(
            f"{who} of the {self._size} that train together is gone.",
            why="it was killed, its machine is off, or nothing reaches it any more.",
            fix="start the processes again with --resume and the run; the last checkpoint is kept.",
        )

    def _ended(self, error: BaseException) -> ParallelError:
        if isinstance(error, SeethroughError):
            what, why, fix = error.what, error.why, error.fix
        else:
            what = f"{type(error).__name__}: {error}"
            why, fix = "its own last words tell where.", "start again with --resume and the run."
        return ParallelError(
            f"The process with rank {self._rank} of the {self._size} that train together ended "
            f"first: {what}",
            why=why,
            fix=fix,
        )
