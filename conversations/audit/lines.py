"""The lines of a block as slices, bounded in number and length: beyond that a block is data, not speech."""

from collections.abc import Iterator

MOST_LINES = 20_000
LONGEST_LINE = 4_000  # characters; a longer line is cut: minified code, base64, a log without line breaks


def lines(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """The lines of `text` as (start, end) without the break; over-long ones cut."""
    for _ in range(MOST_LINES):
        if start >= len(text):
            return
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, min(end, start + LONGEST_LINE)
        start = end + 1
