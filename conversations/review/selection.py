"""Which characters of a text a person selected on a page. Pure.

The page shows a text as prose: spaces run together, and signs of lists, headings and emphasis are left out. So the
words selected are looked for as they are read, and the place found is where they stand in the text itself.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

#: Characters of one selection: what is longer is no single fact.
MOST_SELECTED = 2_000
#: Characters before the selection that tell several equal places apart.
MOST_BEFORE = 200
#: Equal places in one block that are told apart.
MOST_PLACES = 1_000

# Not compared: spaces, the signs that prose leaves out or replaces, and what cannot be seen (as in web/highlight.py).
_UNSEEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f\ufffd"
_LEFT_OUT = re.compile(rf"[\s*`#+~…•\-{_UNSEEN}]+")
_BETWEEN = _LEFT_OUT.pattern[:-1] + "*"


@dataclass(frozen=True, slots=True)
class Place:
    """`quote` is the block's text from `start` to `end`, in characters."""

    block: int
    start: int
    end: int
    quote: str


def find_place(texts: Iterable[tuple[int, str]], selected: str, before: str = "") -> Place | None:
    """Where the selected words stand in (block, text); None where they do not.

    Of several places the one is taken before which most of `before` stands; else the first."""
    words = _LEFT_OUT.sub("", selected)
    if not words or len(words) > MOST_SELECTED:
        return None
    # Places may overlap: "aa" stands twice in "aaa".
    pattern = re.compile(f"(?=({_BETWEEN.join(map(re.escape, words))}))")
    led_by = _LEFT_OUT.sub("", before)[-MOST_BEFORE:]
    found = [(block, text, match) for block, text in texts for match in islice(pattern.finditer(text), MOST_PLACES)]
    if not found:
        return None
    block, text, match = max(found, key=lambda each: _alike(each[1], each[2].start(), led_by))
    start, end = _with_signs(text, match.start(1), match.end(1), selected.strip())
    return Place(block, start, end, text[start:end])


def _alike(text: str, end: int, before: str) -> int:
    """How many of the last characters of `text` up to `end` and of `before` are the same."""
    # Twice as many as are compared and some more: signs and spaces between them are left out.
    near = text[max(end - 2 * len(before) - MOST_BEFORE, 0) : end] if before else ""
    same = 0
    for left, right in zip(reversed(_LEFT_OUT.sub("", near)), reversed(before), strict=False):
        if left != right:
            break
        same += 1
    return same


def _with_signs(text: str, start: int, end: int, selected: str) -> tuple[int, int]:
    """A place grown by the signs that were selected at its edges: the minus of "-5"."""
    first = _LEFT_OUT.match(selected)
    lead = first[0] if first else ""
    trail = selected[len(selected.rstrip("*`#+~…•-")) :]
    if lead and text.endswith(lead, 0, start):
        start -= len(lead)
    if trail and text.startswith(trail, end):
        end += len(trail)
    return start, end
