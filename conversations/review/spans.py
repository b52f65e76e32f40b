"""Find the words that somebody selected on a page in the text they come from."""

import re

#: Characters that are no letters between two words of a selection: the page shows Markdown without its signs.
_BETWEEN = r"\W{1,30}?"
_LONGEST = 20_000  # characters of a selection


def locate(text: str, quote: str, near: int = 0) -> tuple[int, int] | None:
    """Where the quoted words stand, as (start, end): at `near` if they do, else the place nearest to it; None where
    they do not occur. Between words anything that is no letter or digit may differ."""
    quote = quote.strip()[:_LONGEST]
    if not quote:
        return None
    if text.startswith(quote, near):
        return near, near + len(quote)
    exact = [match.start() for match in re.finditer(re.escape(quote), text)]
    places = [(start, start + len(quote)) for start in exact] or _loosely(text, quote)
    return min(places, key=lambda place: abs(place[0] - near), default=None)


def _loosely(text: str, quote: str) -> list[tuple[int, int]]:
    words = [re.escape(word) for word in re.findall(r"\w+", quote)]
    return [match.span() for match in re.finditer(_BETWEEN.join(words), text)] if words else []
