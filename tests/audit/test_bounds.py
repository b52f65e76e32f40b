"""A line of 100 MB costs no more than its first characters: work is counted, not timed."""

import sys

import pytest

from conversations.audit import passages, text
from conversations.audit.matching import judge
from conversations.audit.passages import MAX_BLOCK, MAX_SUMMARY, PassageIndex
from conversations.audit.presence import MAX_FACT
from tests.audit.cases import fact

HUGE = "L2: never run it, kept 60 s (not verified). " * 2_500_000  # more than 100 MB in one line
#: How often one character may be read for one fact: wordings, sentences, labels, clauses and values each read it anew.
READINGS = 60


class CountingWords:
    """The pattern of words, which counts the characters that it is given."""

    def __init__(self, pattern):
        self.pattern, self.characters = pattern, 0

    def findall(self, string, start=0, end=sys.maxsize):
        self.characters += min(end, len(string)) - start
        return self.pattern.findall(string, start, end)

    def finditer(self, string, start=0, end=sys.maxsize):
        self.characters += min(end, len(string)) - start
        return self.pattern.finditer(string, start, end)


@pytest.fixture
def read(monkeypatch):
    """Counts the characters in which words are looked for."""
    counting = CountingWords(text.WORD)
    monkeypatch.setattr(text, "WORD", counting)
    return counting


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
