"""Child processes that never outlive their parent."""

import ctypes
import os
import pwd
import sys

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


def name_process(name: str) -> None:
    """What `ps -o comm` shows; Linux keeps 15 characters."""
    prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]))


def prctl(option: int, value: object) -> None:
    """Linux's prctl; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
