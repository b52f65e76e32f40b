"""Child processes that never outlive their parent."""

import ctypes
import os
import pwd
import select
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def die_with_parent(signal_number: int, account: pwd.struct_passwd | None = None) -> None:
    """Called in a new child: take on `account`, then have Linux send the signal when the parent ends, however it ends.

    In this order, because changing the user undoes it. Elsewhere than on Linux it is the next start that clears up."""
    if account:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    prctl(_PR_SET_PDEATHSIG, signal_number)


def end_after_parent(parent: int, seconds: float) -> None:
    """Called in a new child: kill it so many seconds after the parent has ended, however it ended, should it be there
    still. Nobody else would: a worker that is to stop when its database is gone as well waits for it, 30 s each time
    that it wants to say something to it, and was seen to take more than 100 s in one of eight tries on a busy machine.

    On Linux; elsewhere it is the next start that clears up."""
    if sys.platform == "linux":
        watched = os.pidfd_open(parent)  # can be read when it has ended
        threading.Thread(target=_end_after, args=(watched, seconds), name="end-after-parent", daemon=True).start()


def _end_after(watched: int, seconds: float) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the main thread
    select.select([watched], [], [])
    threading.Event().wait(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def name_process(name: str) -> None:
    """What `ps -o comm` shows; Linux keeps 15 characters."""
    prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]))


def prctl(option: int, value: object) -> None:
    """Linux's prctl; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
