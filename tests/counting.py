"""How much work something is, counted: the same on every machine, whatever else runs there."""

import sys
from collections.abc import Callable
from types import FrameType


def steps(work: Callable[[], object]) -> int:
    """The lines of Python that `work` runs, those of a loop as often as they run. What C does in one counts as one."""
    counted = 0

    def follow(_frame: FrameType, event: str, _value: object) -> Callable[..., object]:
        nonlocal counted
        counted += event == "line"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted
