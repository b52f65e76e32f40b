"""How much of one compaction is read: time and memory have a bound, whatever a log holds."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from conversations.audit.calls import says_failed
from conversations.audit.model import Author, Line, Segment

#: Characters that are read of one text. The longest in 17 real logs has 84,000; 400,000 are some 160,000 tokens, which
#: few contexts hold. A tool's output beyond that is still asked at its end whether it failed.
MAX_TEXT = 400_000
#: Characters that are read of all that was dropped, of all that was kept, and so on: what a context of a million tokens
#: holds, twice. At 0.5 to 0.8 s for 300,000 characters, the whole should take well under a minute.
MAX_ALL = 6_000_000


def shortened(segment: Segment) -> Segment:
    """The segment with no more text than can be read in bounded time; the segment itself where it has no more.

    Texts lose their ends, so that places in them stay what they are. Where all together are too long, the earliest of
    what was dropped go, and the last of the others.
    """
    short = replace(
        segment,
        dropped=list(reversed(_cut(reversed(segment.dropped)))),
        kept=_cut(segment.kept),
        restored=_cut(segment.restored),
        continuation=_cut(segment.continuation),
        summary=segment.summary[:MAX_TEXT],
    )
    return short if cut_texts(segment, short) else segment


def cut_texts(segment: Segment, short: Segment) -> int:
    """How many texts of a segment were not read to their end."""
    cut = sum(one is not other for one, other in zip(_lines(segment), _lines(short), strict=True))
    return cut + (len(short.summary) < len(segment.summary))


def _lines(segment: Segment) -> Iterator[Line]:
    return chain(segment.dropped, segment.kept, segment.restored, segment.continuation)


def _cut(lines: Iterable[Line]) -> list[Line]:
    """The lines in the order given, each at most MAX_TEXT long, and all together at most MAX_ALL."""
    left, cut = MAX_ALL, []
    for line in lines:
        most = min(MAX_TEXT, left)
        cut.append(line if len(line.text) <= most else _beginning(line, most))
        left -= len(cut[-1].text)
    return cut


def _beginning(line: Line, most: int) -> Line:
    """The line with the beginning of its text. Whether a tool failed stands at the end, and stays known."""
    failed = line.is_error or (line.author is Author.TOOL_RESULT and says_failed(line.text))
    return replace(line, text=line.text[:most], is_error=failed)
