"""Cuts a text that is too long for its place: at the edge of a clause where one is near, else between words."""

import re

#: A clause is the end of a cut that leaves at least this share of what there is room for; of less too much is gone.
WORTH = 0.6
_EDGE = re.compile(r"(?:[,;:!?]|(?<!\d)\.)(?=\s)|\s(?=[–—-]\s)")  # "2. Close it": the number of an item ends nothing
_LOOSE = " ,;:–—-"


def beginning_of(text: str, room: int) -> str:
    """`text`, or its first `room` characters at most, " …" behind them."""
    if len(text) <= room:
        return text
    head = text[: max(0, room - 2)]
    edge = max((match.end() for match in _EDGE.finditer(text, 0, len(head) + 1)), default=0)
    if WORTH * len(head) <= edge <= len(head):
        return f"{head[:edge].rstrip(_LOOSE)} …"
    return head.rsplit(" ", 1)[0] + " …"


def ending_of(text: str, room: int) -> str:
    """`text`, or its last `room` characters at most, "… " before them."""
    if len(text) <= room:
        return text
    tail = text[len(text) - max(0, room - 2) :]
    edge = next((match.end() for match in _EDGE.finditer(tail)), len(tail))
    if len(tail) - edge >= WORTH * len(tail):
        return f"… {tail[edge:].lstrip(_LOOSE)}"
    return "… " + tail.split(" ", 1)[-1]
