"""Puts the words of a source on one line for people: a row's cells, a list's items, no markup."""

import re

from conversations.audit.facts.units import plain

_BULLET = re.compile(r"\s*(?:[-*+•▪◦–]\s+)+")
_NUMBERED = re.compile(r"\d{1,3}[.)]\s")
_CELL_EDGE = re.compile(r"\s*[|│]\s*")
_WORD = re.compile(r"\w")
#: After these signs nothing parts what follows.
_STOPS = frozenset(":;,.!?…—–")


def worded(text: str) -> str:
    """`text` on one line: "| a | b |" as "a – b", the items of a list and rows parted by semicolons."""
    if "\n" not in text and not text.lstrip().startswith(("-", "*", "+", "•", "▪", "◦", "–", "|", "│")):
        return plain(text)
    said = ""
    for line in text.split("\n"):
        words, begins = _line(line)
        if words:
            said += f"{_edge(said.rstrip('*_` '), begins)}{words}"
    return plain(said)


def _line(line: str) -> tuple[str, bool]:
    """The words of one line, and whether a row or a bulleted item begins with it."""
    if line.lstrip().startswith(("|", "│")):
        return " – ".join(cell for cell in _CELL_EDGE.split(line) if _WORD.search(cell)), True
    bullet = _BULLET.match(line)
    words = line[bullet.end() :].strip() if bullet else line.strip()
    return words, bullet is not None or _NUMBERED.match(words) is not None


def _edge(said: str, begins: bool) -> str:
    """What stands between the words so far and the next line's."""
    return "" if not said else "; " if begins and said[-1] not in _STOPS else " "
