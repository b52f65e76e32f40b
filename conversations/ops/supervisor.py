"""Run the server's processes: start them in order, show their logs, start them anew when they die, stop them in order.

One thread and one loop: Linux's parent-death signal, by which no child outlives a killed supervisor, is bound to the
thread that forked. Children are forked, not executed: they share the memory of what the parent has loaded.
"""

import fcntl
import logging
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pwd import struct_passwd
from typing import TextIO

from observatory.children import die_with_parent, end_after_parent, name_process

log = logging.getLogger(__name__)

#: A child that runs so long is well: what it died of before is forgotten.
WELL_AFTER_SECONDS = 60.0
#: Deaths in a row, none of them well, after which it is no use.
MOST_DEATHS = 6
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
_TICK_SECONDS = 0.1
_COLOURS = (36, 32, 33, 35, 34)


class Stopped(Exception):
    """Asked to stop, by signal."""


class GaveUp(Exception):
    """A process dies again and again, or did not become ready; the message says which and what to look at."""


@dataclass
class Program:
    """One process to keep running."""

    name: str
    #: Runs in the child; given what to call when it is ready to work. What it returns is the exit code.
    run: Callable[[Callable[[], None]], int | None]
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 30.0  # after that it is killed
    account: Callable[[], struct_passwd | None] = lambda: None
    is_ready: Callable[[], bool] | None = None  # asked instead of waiting for the child's word
    once: bool = False  # it ends by itself
    stage: int = 1  # they are stopped from the highest to the lowest; those of one stage at once

    # while it runs
    pid: int = 0
    started_at: float = 0.0
    ready: bool = False
    deaths: int = 0
    start_at: float | None = None  # when it is to be started again
    exit_code: int | None = None
    _pipes: list[int] = field(default_factory=list)


class Supervisor:
    """Keeps programs running in the order they were started; `stop` ends them, the last stage first."""

    def __init__(self, output: TextIO | None = None) -> None:
        self.programs: list[Program] = []
        self._output = output or sys.stdout
        self._selector = selectors.DefaultSelector()
        self._partial: dict[int, bytes] = {}
        self._asked_to_stop = 0
        self._stopping = False
        self._wake, wake_end = os.pipe()
        for end in (self._wake, wake_end):
            os.set_blocking(end, False)
        self._selector.register(self._wake, selectors.EVENT_READ, lambda fd: os.read(fd, 512))
        signal.set_wakeup_fd(wake_end)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the loop
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._asked_to_stop += 1

    # --- running ------------------------------------------------------------------------------------------------------

    def start(self, program: Program, *, ready_within: float) -> None:
        """Start it and wait until it is ready (one that runs once: until it has ended). Raises GaveUp, Stopped."""
        self.programs.append(program)
        self._fork(program)

        def is_done() -> bool:
            return program.exit_code is not None if program.once else program.ready

        self.run_until(is_done, seconds=ready_within)
        if not is_done():
            raise GaveUp(f"{program.name} was not ready after {ready_within:.0f} s; its last lines are above.")
        if program.once:
            self.programs.remove(program)

    def run_in_background(self, program: Program) -> None:
        """Start one that runs once, beside the others."""
        self.programs.append(program)
        self._fork(program)

    def watch(self, fd: int, on_readable: Callable[[int], None]) -> None:
        """Call back when there is something to read."""
        self._selector.register(fd, selectors.EVENT_READ, on_readable)

    def unwatch(self, fd: int) -> None:
        """Stop looking at it."""
        self._selector.unregister(fd)

    def run_until(self, done: Callable[[], bool], seconds: float = float("inf")) -> None:
        """Look after the programs until `done` or the time is over. Raises Stopped when asked to stop, GaveUp."""
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            if self._asked_to_stop and not self._stopping:
                raise Stopped
            self._look_after(_TICK_SECONDS)

    def run(self) -> None:
        """Look after the programs until asked to stop. Raises GaveUp."""
        try:
            self.run_until(lambda: False)
        except Stopped:
            return

    def stop(self) -> None:
        """Stop all, stage by stage, last first; asked to stop once more, at once. Leaves nobody behind."""
        self._stopping = True
        asked = self._asked_to_stop
        for stage in sorted({program.stage for program in self.programs}, reverse=True):
            programs = [program for program in self.programs if program.stage == stage and program.pid]
            for program in programs:
                log.info("stopping process=%s pid=%s", program.name, program.pid)
                _signal(program.pid, program.stop_signal)
            self._wait_for_end(programs, asked)
            for program in programs:
                self._kill(program)
        self._drain()

    def _wait_for_end(self, programs: list[Program], asked: int) -> None:
        def is_over() -> bool:
            return all(not program.pid for program in programs) or self._asked_to_stop > asked

        self.run_until(is_over, seconds=max((program.stop_seconds for program in programs), default=0))

    def _kill(self, program: Program) -> None:
        """Whatever is left of it: each child leads a process group of its own."""
        if program.pid:
            log.warning("killing process=%s pid=%s reason=it did not stop in time", program.name, program.pid)
            _signal_group(program.pid, signal.SIGKILL)
            self.run_until(lambda: not program.pid, seconds=5)

    def _drain(self) -> None:
        """Show what the children said last."""
        while any(program._pipes for program in self.programs) and self._look(0.2):  # noqa: SLF001 -- ours
            pass

    # --- the loop -----------------------------------------------------------------------------------------------------

    def _look_after(self, seconds: float) -> None:
        self._look(seconds)
        self._reap()
        for program in self.programs:
            if program.start_at is not None and program.start_at <= time.monotonic() and not self._stopping:
                self._fork(program)
            if program.pid and not program.ready and program.is_ready and program.is_ready():
                program.ready = True

    def _look(self, seconds: float) -> bool:
        events = self._selector.select(seconds)
        for key, _ in events:
            key.data(key.fd)
        return bool(events)

    def _reap(self) -> None:
        for program in self.programs:
            if not program.pid:
                continue
            pid, status = os.waitpid(program.pid, os.WNOHANG)
            if pid:
                self._ended(program, os.waitstatus_to_exitcode(status))

    def _ended(self, program: Program, code: int) -> None:
        lived = time.monotonic() - program.started_at
        _signal_group(program.pid, signal.SIGTERM)  # whom it left behind
        program.pid, program.exit_code, program.ready = 0, code, False
        if self._stopping or program.once:
            return
        program.deaths = 1 if lived > WELL_AFTER_SECONDS else program.deaths + 1
        log.error("process ended process=%s %s deaths=%s", program.name, _cause(code), program.deaths)
        if program.deaths >= MOST_DEATHS:
            raise GaveUp(
                f"{program.name} ended {program.deaths} times in a row ({_cause(code)}); its last lines are above."
            )
        program.start_at = time.monotonic() + pause_after(program.deaths)

    # --- children -----------------------------------------------------------------------------------------------------

    def _fork(self, program: Program) -> None:
        said, say = os.pipe()
        heard, tell = os.pipe()
        program.start_at, program.started_at, program.exit_code = None, time.monotonic(), None
        self._output.flush()
        supervisor = os.getpid()
        program.pid = os.fork()
        if not program.pid:
            os.close(said)
            os.close(heard)
            _be(program, supervisor, say, tell)
        os.close(say)
        os.close(tell)
        program._pipes += [said, heard]  # noqa: SLF001 -- ours
        self._selector.register(said, selectors.EVENT_READ, lambda fd: self._read_log(program, fd))
        self._selector.register(heard, selectors.EVENT_READ, lambda fd: self._read_word(program, fd))
        log.info("started process=%s pid=%s", program.name, program.pid)

    def _read_word(self, program: Program, fd: int) -> None:
        if os.read(fd, 16):
            program.ready = True
        else:
            self._close(program, fd)

    def _read_log(self, program: Program, fd: int) -> None:
        text = os.read(fd, 65536)
        *lines, self._partial[fd] = (self._partial.pop(fd, b"") + text).split(b"\n")
        if not text and self._partial[fd]:
            lines.append(self._partial[fd])
        for line in lines:
            self.show(program.name, line.decode(errors="replace"))
        if not text:
            del self._partial[fd]
            self._close(program, fd)

    def _close(self, program: Program, fd: int) -> None:
        program._pipes.remove(fd)  # noqa: SLF001 -- ours
        self._selector.unregister(fd)
        os.close(fd)

    def show(self, name: str, line: str) -> None:
        """One line of output, with whose it is before it."""
        label = f"{name:<9} |"
        if self._output.isatty():
            label = f"\033[{_COLOURS[sum(name.encode()) % len(_COLOURS)]}m{label}\033[0m"
        self._output.write(f"{label} {line}\n")
        self._output.flush()


def pause_after(deaths: int) -> float:
    """Seconds until it is started again: twice as long each time."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (deaths - 1), LONGEST_PAUSE_SECONDS)


def _be(program: Program, supervisor: int, say: int, tell: int) -> None:
    """The child's life; does not return."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()  # so that Ctrl-C reaches the supervisor only, which stops its children in order
        os.dup2(say, 1)
        os.dup2(say, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        fcntl.fcntl(tell, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        name_process(f"obs-{program.name}")
        die_with_parent(program.stop_signal, program.account())
        if os.getppid() == supervisor:  # else it ended before it was watched
            end_after_parent(supervisor, program.stop_seconds)
            code = program.run(partial(_tell, tell)) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 -- the last frame of the process: say it and end
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell(fd: int) -> None:
    os.write(fd, b"1")


def _cause(code: int) -> str:
    return f"signal={signal.Signals(-code).name}" if code < 0 else f"exit={code}"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        log.info("already ended pid=%s", pid)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # nobody is left in it
        return
