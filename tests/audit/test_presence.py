import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.audit.passages import PassageIndex
from conversations.audit.presence import CANDIDATES, MAX_FACT, NAMES, common_subsequence, evidence, fitted, probability

SUMMARY = """## Work
- The cache of share keys expires after 60 seconds, because stale entries misled the recipients.
- User chose PostgreSQL over SQLite for the event store.

## Next
1. Write the migration for `event_log`.
"""
TEXT = st.text(st.sampled_from("cache keys expire 60 after.\n-*`A_é\u202e"), max_size=300)


@pytest.mark.parametrize(
    ("said", "unsaid"),
    [
        ("Share keys are cached for 60 seconds.", "Share keys are cached for 5 minutes in Redis."),
        (
            "PostgreSQL was chosen for storing events, not SQLite.",
            "MongoDB was considered for the audit log and rejected.",
        ),
        ("the event_log migration has to be written", "the invoice_lines migration has to be reverted"),
    ],
)
def test_probability_is_high_for_what_is_said_in_other_words(said, unsaid):
    index = PassageIndex(SUMMARY)
    assert probability(said, index) > 0.5
    assert probability(unsaid, index) < 0.2


def test_evidence_points_at_the_passage_that_says_it():
    index = PassageIndex(SUMMARY)
    first, last = index.span(*evidence("PostgreSQL instead of SQLite for events", index).window)
    assert "PostgreSQL" in SUMMARY[first:last]


@given(TEXT, TEXT)
def test_evidence_is_made_of_shares(fact, summary):
    found = evidence(fact, PassageIndex(summary))
    named = dict(zip(NAMES, found.values, strict=True))
    assert all(-1e-9 <= value <= 1 + 1e-9 for name, value in named.items() if name != "length")
    assert named["best1"] <= named["best2"] + 1e-9 <= named["best4"] + 2e-9 <= named["whole"] + 3e-9
    assert 0 <= probability(fact, PassageIndex(summary)) <= 1


@given(TEXT)
def test_evidence_is_full_when_the_summary_is_the_fact(text):
    index = PassageIndex(text)
    found = evidence(text, index)
    if found.window is not None and len(index.passages) == 1:
        assert found.recall == pytest.approx(1)


def test_every_weight_of_the_model_is_stored_with_its_origin():
    assert len(fitted().weights) == len(NAMES)


def test_a_huge_fact_is_read_to_its_bound_only():
    index = PassageIndex(SUMMARY)
    assert evidence("cache " * MAX_FACT, index).values == evidence(("cache " * MAX_FACT)[:MAX_FACT], index).values


def test_a_long_summary_is_looked_at_closely_in_a_few_places_only(monkeypatch):
    index = PassageIndex("\n".join(f"cache line {n}" for n in range(3_000)))
    asked = []
    monkeypatch.setattr(index, "grams_of", lambda number: asked.append(number) or {"cach"})
    monkeypatch.setitem(index.__dict__, "grams", {"cach"})
    evidence("cache of keys", index)
    assert len(asked) <= 2 * CANDIDATES


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_common_subsequence_is_that_of_the_usual_table(mine, other):
    table = [[0] * (len(other) + 1) for _ in range(len(mine) + 1)]
    for i, a in enumerate(mine):
        for j, b in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert common_subsequence(mine, other) == table[-1][-1]
