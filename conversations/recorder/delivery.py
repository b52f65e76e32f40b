"""From the agent's threads to the server: accept at once, deliver in a thread of our own, survive forks and the end."""

import logging
import os
import sys
import threading
import time
from weakref import WeakSet

from .backlog import Backlog
from .batches import Batches
from .buffer import Buffer
from .limits import Counts, Limits
from .post import Server
from .seen import Seen
from .shipping import Shipper

log = logging.getLogger("observatory_recorder")


class Delivery:
    """Everything that goes to one server with one key. Thread-safe; its thread starts when there is something to do."""

    def __init__(self, server: Server, backlog: Backlog, limits: Limits) -> None:
        self.counts = Counts()
        self.server = server
        self._limits = limits
        self._shipper = Shipper(server, backlog, limits, self.counts)
        self._batches = Batches(backlog.folder, limits.spill_bytes)
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        # Re-entrant: the garbage collector may close a response, and so record it, while this thread holds the lock.
        self._changed = threading.Condition(threading.RLock())
        self._buffer = Buffer(self._limits)
        self._thread: threading.Thread | None = None
        self._in_hand: list[Seen] = []  # taken from the buffer, and in no file yet
        self._busy = self._hurry = self._closing = False

    def accept(self, seen: Seen) -> None:
        """Take it and return at once; this is all that an agent's thread does."""
        with self._changed:
            self.counts.accepted += 1
            self.counts.dropped += self._buffer.add(seen)
            self._start()
            if len(self._buffer) == 1 or self._buffer.ready_in() == 0:  # else it sleeps until the first one's time
                self._changed.notify_all()

    def resume(self) -> None:
        """Send what an earlier program left behind."""
        if not self._shipper.backlog.is_empty:
            with self._changed:
                self._start()

    def flush(self, timeout: float) -> bool:
        """Wait until everything accepted is delivered. False: after `timeout` seconds something still waits."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            try:
                return self._changed.wait_for(self._is_settled, timeout)
            finally:
                self._hurry = False

    def close(self) -> None:
        """The program ends: deliver for a moment, keep the rest on disk, and say what is lost."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(self._limits.exit_seconds)
        with self._changed:
            self._keep_what_is_left()
        if lost := self._shipper.backlog.in_memory():
            self.counts.dropped += lost
            log.warning("The program ends before %d recorded exchanges could be delivered or written down.", lost)

    def after_fork(self) -> None:
        """In the child: what was accepted before is the parent's to deliver."""
        self.counts = self._shipper.restarted()
        self._reset()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="observatory-recorder", daemon=True)
            self._thread.start()
            _arrange_the_end()

    def _run(self) -> None:
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Wait for something to do and do it. False: the program ends and nothing more can be done."""
        with self._changed:
            while (pause := self._pause()) != 0:
                if self._closing:
                    return False
                self._changed.wait(pause)
            self._in_hand = self._buffer.take() if self._batch_in() == 0 else []
            self._busy = True
        try:
            self._work(self._in_hand)
        finally:
            with self._changed:
                self._in_hand, self._busy = [], False
                self._changed.notify_all()
        return True

    def _work(self, batch: list[Seen]) -> None:
        try:
            if batch:
                self._shipper.ship(self._exchanges(batch))
            else:
                self._shipper.catch_up()
        except Exception:  # a thread that ended would deliver nothing more
            self.counts.dropped += len(batch)
            log.warning("%d recorded exchanges could not be delivered.", len(batch), exc_info=True)

    def _pause(self) -> float | None:
        """Seconds until there is something to do; None = until someone says so."""
        pauses = [pause for pause in (self._batch_in(), self._shipper.ready_in()) if pause is not None]
        return min(pauses, default=None)

    def _batch_in(self) -> float | None:
        pause = self._buffer.ready_in()
        return 0.0 if pause is not None and (self._hurry or self._closing) else pause

    def _is_settled(self) -> bool:
        return not self._busy and not len(self._buffer) and not self._shipper.backlog.holds_mine()

    def _keep_what_is_left(self) -> None:
        batch = self._in_hand or self._buffer.take()  # it may arrive all the same; the server knows it by its ids
        while batch:
            self._shipper.keep(self._shipper.pack(self._exchanges(batch)))
            batch = self._buffer.take()

    def _exchanges(self, seen: list[Seen]) -> list[Seen]:
        """What is to be sent of it: a batch's results are many, its creation is none."""
        exchanges = list(self._batches.exchanges(seen))
        with self._changed:
            self.counts.accepted += len(exchanges) - len(seen)
        return exchanges


_all: WeakSet[Delivery] = WeakSet()


def every() -> list[Delivery]:
    """All deliveries of this process."""
    return list(_all)


def flush_all(timeout: float) -> bool:
    """Flush every delivery, in `timeout` seconds altogether."""
    deadline = time.monotonic() + timeout
    settled = [delivery.flush(max(0.0, deadline - time.monotonic())) for delivery in every()]
    return all(settled)


def close_all() -> None:
    """The program ends."""
    for delivery in every():
        delivery.close()


def _arrange_the_end() -> None:
    """Children of multiprocessing and of Celery's pool end without `atexit`; they have exits of their own."""
    for name in ("multiprocessing.util", "billiard.util"):
        if pools := sys.modules.get(name):
            pools.Finalize(None, close_all, exitpriority=10)


def _after_fork() -> None:
    for delivery in every():
        delivery.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
