"""A line of 100 MB costs no more than its first characters: work is counted, not timed."""

import pytest

from conversations.audit import bounds, passages, text
from conversations.audit.audit import audit_segment
from conversations.audit.harm import marks
from conversations.audit.matching import judge
from conversations.audit.model import Author
from conversations.audit.passages import MAX_BLOCK, MAX_SUMMARY, PassageIndex
from conversations.audit.presence import MAX_FACT
from tests.audit.cases import fact
from tests.audit.segments import Log, segment_of

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


# --- the whole audit --------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    """Bounds a hundred times smaller."""
    monkeypatch.setattr(bounds, "MAX_TEXT", 4_000)
    monkeypatch.setattr(bounds, "MAX_ALL", 60_000)


def spoken(said):
    """A compaction in which every sort of text says the same."""
    log, after = Log(), Log(100)
    for add in (log.user, log.agent, after.user, after.agent):
        add(said)
    for author in (Author.THINKING, Author.SUMMARY, Author.PASTED, Author.HARNESS):
        log.add(author, said)
    for tool, argument in (("Bash", "command"), ("Read", "file_path"), ("Edit", "old_string")):
        log.call(tool, f'{{"{argument}": "x.py"}}', said)
        after.call(tool, f'{{"{argument}": "{said}"}}', "ok")
    return segment_of(log.lines, said, after.idle(12).lines, kept=log.lines[:1])


@pytest.mark.parametrize(
    "line", ["L2: never run it (not verified). ", "```\n", "| a | b |\n", "x", "aB", "([{`**_", "文"]
)
def test_what_an_audit_reads_does_not_grow_with_a_line(small, read, line):
    """A line of 100 MB costs what one of 0.4 MB costs; here the same a hundred times smaller."""
    audits, work = [], []
    for size in (10_000, 500_000):
        text._telling_short.cache_clear()
        read.characters = 0
        audits.append(audit_segment(spoken(line * (size // len(line)))))
        work.append(read.characters)

    assert work[0] == work[1]
    assert [audit.cut_texts for audit in audits] == [16, 16]
    assert [f.fact.quote for f in audits[0].findings] == [f.fact.quote for f in audits[1].findings]


def test_what_an_audit_reads_grows_with_the_log(read):
    """Twice as many different messages are at most a little more than twice the work."""
    work = []
    for messages in (60, 120):
        log = Log()
        for number in range(messages):
            log.agent(f"Because of limit{number}, never run step{number} before table_{number} holds {number} rows.")
        read.characters = 0
        audit_segment(segment_of(log.lines, "Nothing is left to do.", Log(1_000).idle(12).lines))
        work.append(read.characters)

    assert work[1] < 2.3 * work[0]


def test_of_too_much_text_the_latest_is_read(small):
    log = Log()
    for _ in range(20):
        log.agent("Going on. " * 400)
    short = bounds.shortened(segment_of(log.lines))

    assert sum(len(line.text) for line in short.dropped) == bounds.MAX_ALL
    assert [bool(line.text) for line in short.dropped] == [False] * 5 + [True] * 15
    assert bounds.cut_texts(segment_of(log.lines), short) == 5


def test_a_tool_that_failed_at_the_end_of_its_output_has_failed(small):
    log = Log()
    log.call("Bash", '{"command": "make"}', "compiling\n" * 1_000 + "\nmake: *** [all] Error 2\n")
    [_, result] = bounds.shortened(segment_of(log.lines)).dropped

    assert result.is_error
    assert len(result.text) == bounds.MAX_TEXT


def test_a_segment_of_ordinary_size_is_left_alone():
    segment = spoken("Never push.")
    assert bounds.shortened(segment) is segment
    assert audit_segment(segment).cut_texts == 0
