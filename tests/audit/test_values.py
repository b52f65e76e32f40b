import pytest

from conversations.audit.model import Detail
from conversations.audit.passages import PassageIndex
from conversations.audit.values import distorted, lookup, things
from conversations.vocabulary import Outcome


def wrong(fact, summary, *sources):
    index = PassageIndex(summary, [], [fact, *sources])
    return distorted(fact, (0, len(summary)), index)


@pytest.mark.parametrize(
    ("fact", "summary", "there"),
    [
        ("The cache lives 60 seconds.", "The cache lives 90 seconds.", "90 seconds"),
        ("Coverage of the parser is 81%.", "Coverage of the parser is 91%.", "91%"),
        ("Server needs runtime v18.2.1 installed", "Server needs runtime v18.1.2 installed", "v18.1.2"),
        ("dev server at localhost:5173", "dev server at localhost:5713", "localhost:5713"),
        ("1,200 rows were imported", "12,000 rows were imported", "12,000 rows"),
        ("Handler is in api/shares/handler.go", "Handler is in web/shares/handler.go", "web/shares/handler.go"),
    ],
)
def test_distorted_finds_a_value_that_nobody_said(fact, summary, there):
    judgement = wrong(fact, summary)
    assert (judgement.outcome, judgement.detail) == (Outcome.ALTERED, Detail.DISTORTED)
    assert summary[judgement.start : judgement.end] == there
    assert there in judgement.reason


@pytest.mark.parametrize(
    ("fact", "summary", "sources"),
    [
        ("The cache lives 60 seconds.", "The cache lives 1 minute.", ()),
        ("1,200 rows were imported", "1.2k rows were imported", ()),
        ("The cache lives 60 seconds.", "The cache lives 90 seconds.", ("make it 90 seconds",)),
        ("Test 4.2 fails in the browser", "Test 6.1 fails in the browser", ()),
        ("The cache lives 60 seconds.", "The cache dies; the login lives 90 files.", ()),
        ("took 3 seconds, then 5 seconds", "took 4 seconds", ()),
        ("see api/shares/handler.go", "see shares/handler.go", ()),
        ("see api/shares/handler.go", "see handler.go", ()),
        ("see api/shares/handler.go", "see web/shares/handler.go", ("cat web/shares/handler.go",)),
    ],
)
def test_distorted_is_silent_where_the_value_may_be_right(fact, summary, sources):
    assert wrong(fact, summary, *sources) is None


def test_distorted_compares_numbers_of_one_topic_only():
    assert wrong("The login cookie of the admin lives 60 seconds.", "The cache lives 90 seconds.") is None


@pytest.mark.parametrize(
    ("fact", "summary", "found"),
    [
        ("commit 1a381f7d8c0ffee", "committed as `1a381f7`", "1a381f7"),
        ("/home/me/app/src/a.py:12", "in `a.py`", "a.py"),
        ("241 tests", "All 241 crypto tests pass", "241 crypto"),
        ("commit 1a381f7d8c0ffee", "committed as 1a381f8", None),
    ],
)
def test_lookup_knows_other_spellings(fact, summary, found):
    index = PassageIndex(summary, cwd="/home/me/app")
    hit = lookup(things(fact, index)[0], index)
    assert (hit and summary[hit.start : hit.end]) == found
