"""A line of 100 MB costs no more than its first characters: work is counted, not timed."""

import pytest

from conversations.audit import passages, text
from conversations.audit.harm import marks
from conversations.audit.matching import judge
from conversations.audit.passages import MAX_BLOCK, MAX_SUMMARY, PassageIndex
from conversations.audit.presence import MAX_FACT
from tests.audit.cases import fact

HUGE = "L2: never run it, kept 60 s (not verified). " * 2_500_000  # more than 100 MB in one line
#: How often one character may be read for one fact: wordings, sentences, labels, clauses and values each read it anew.
READINGS = 60


class Reading:
    """Counts the characters in which words are looked for; what is remembered of a text is forgotten first."""

    def __init__(self):
        self.characters = 0
        self._blanked = text.blanked
        text._telling_short.cache_clear()

    def __call__(self, string, table):
        self.characters += len(string)
        return self._blanked(string, table)


@pytest.fixture
def read(monkeypatch):
    """The reading of words, counted."""
    reading = Reading()
    for module in (text, marks):
        monkeypatch.setattr(module, "blanked", reading)
    return reading


def test_of_a_huge_dropped_line_only_the_beginning_is_read(read):
    PassageIndex("A short summary.", [], [HUGE])

    assert 0 < read.characters <= MAX_BLOCK + 100


def test_of_a_huge_summary_only_the_beginning_is_read(read):
    index = PassageIndex(HUGE)

    assert index.passages[-1].end <= MAX_SUMMARY
    assert read.characters <= 3 * MAX_SUMMARY


def test_of_a_huge_fact_only_the_beginning_is_judged(read):
    index = PassageIndex("L1 and L2 were run; it is kept for 90 s.", [], ["L2: never run it"])
    read.characters = 0
    judge(fact(HUGE), index)

    assert 0 < read.characters <= READINGS * MAX_FACT


def test_sources_are_read_to_a_bound():
    assert sum(map(len, passages.bounded([HUGE, "x"]))) == MAX_BLOCK + 1
