import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.audit.matching import FORGOTTEN_AT, judge
from conversations.audit.model import Author, Detail, FactKind, FactState
from conversations.audit.passages import PassageIndex
from conversations.audit.text import flat
from conversations.vocabulary import Outcome
from tests.audit.cases import fact

SUMMARY = """1. Request: make the importer idempotent.
2. Files
   - `src/importer/run.py`: retries three times, then raises ImportFailed
   - `src/importer/store.py`: upsert by external id
3. The user never wants the old table dropped.
4. Pending: write docs for the importer, run the nightly job once.
"""
SENTENCE = st.sampled_from(
    [
        "The importer retries three times.",
        "Never drop the old table.",
        "Run `make nightly` before each release!",
        "Port 5433 belongs to the replica.",
        "هذا نص عربي مع importer",
        "再試行は三回まで",
        "a `b` *c* \u0000\u202e [d](e) <f>",
        "x" * 900,
    ]
)
MESSY = st.one_of(SENTENCE, st.text(max_size=120))


@pytest.mark.parametrize(
    ("given", "summary", "outcome", "detail", "detector"),
    [
        (fact("Upsert by external id!"), SUMMARY, Outcome.KEPT, Detail.VERBATIM, "verbatim"),
        (fact("the importer tries three times before ImportFailed is raised in src/importer/run.py"), SUMMARY,
         Outcome.KEPT, Detail.REWORDED, "presence"),
        (fact("Replica lag above 40 s pages the on-call engineer."), SUMMARY,
         Outcome.FORGOTTEN, Detail.NONE, "presence"),
        (fact("Everything else is fine here", state=FactState.SETTLED), SUMMARY,
         Outcome.SUPERSEDED, Detail.NONE, "presence"),
        (fact("git show 1a381f7d8", FactKind.VALUE), "It is commit `1a381f7`.",
         Outcome.KEPT, Detail.REWORDED, "exact_value"),
        (fact("git show 1a381f7d8", FactKind.VALUE), SUMMARY, Outcome.FORGOTTEN, Detail.NONE, "exact_value"),
        (fact("Never drop the old billing table.", FactKind.PROHIBITION), "Drop the old billing table.",
         Outcome.ALTERED, Detail.WEAKENED, "weakened"),
        (fact("The nightly importer job was not run.", FactKind.STATE), "Nightly importer job verified.",
         Outcome.ALTERED, Detail.FLIPPED, "flipped"),
        (fact("The importer lock lasts 60 seconds."), "The importer lock lasts 90 seconds.",
         Outcome.ALTERED, Detail.DISTORTED, "distorted_value"),
        (fact('"Which store should the importer write to?"="Both stores at once"', FactKind.APPROVAL),
         "User chose: both stores at once", Outcome.KEPT, Detail.REWORDED, "presence"),
    ],
)  # fmt: skip
def test_judge_decides_from_exact_to_fuzzy(given, summary, outcome, detail, detector):
    judgement = judge(given, PassageIndex(summary))
    assert (judgement.outcome, judgement.detail, judgement.detector) == (outcome, detail, detector)
    assert judgement.reason.endswith(".")


@pytest.mark.parametrize(
    "given",
    [
        fact("The nightly importer job was not run.", FactKind.STATE, state=FactState.SETTLED),
        fact("The nightly importer job was not run.", FactKind.STATE, author=Author.TOOL_RESULT),
        fact("The nightly importer job was not run.", FactKind.STATE, last=3),
    ],
)
def test_judge_calls_no_flip_what_was_finished_later_or_is_no_speech(given):
    sources = ["The nightly importer job was not run.", "nightly importer job: verified"]
    index = PassageIndex("Nightly importer job verified.", [], sources, positions=[3, 5])
    assert judge(given, index).outcome is Outcome.KEPT


def test_judge_finds_the_rest_of_the_context_too():
    said = fact("Replica lag above 40 s pages the on-call engineer.")
    judgement = judge(said, PassageIndex(SUMMARY, ["…\nReplica lag above 40 s pages the on-call engineer, OK?"]))
    assert (judgement.outcome, judgement.detector, judgement.start) == (Outcome.KEPT, "kept_message", None)


def test_judge_claims_nothing_of_an_unreadable_summary_but_what_is_kept():
    index = PassageIndex("", ["Upsert by external id."], readable=False)
    assert judge(fact("Replica lag pages somebody"), index).outcome is Outcome.UNVERIFIABLE
    assert judge(fact("upsert by external id"), index).outcome is Outcome.KEPT


def test_judge_reads_a_tool_input_as_text():
    written = fact('Write {"content": "retries three times,\\nthen raises ImportFailed"}', author=Author.TOOL_INPUT)
    assert judge(written, PassageIndex(SUMMARY)).outcome is Outcome.KEPT


@given(MESSY, MESSY)
@settings(deadline=None)
def test_judgements_point_into_the_summary(quote, summary):
    index = PassageIndex(summary)
    judgement = judge(fact(quote), index)
    assert 0 <= judgement.probability <= 1
    assert (judgement.start is None) == (judgement.end is None)
    if judgement.start is not None:
        assert 0 <= judgement.start < judgement.end <= len(summary)
    if judgement.outcome is Outcome.FORGOTTEN:
        assert judgement.probability <= FORGOTTEN_AT
    if judgement.detail is Detail.VERBATIM:
        assert flat(summary[judgement.start : judgement.end]) == flat(quote)


@given(st.lists(SENTENCE, min_size=1, max_size=6, unique=True), st.sampled_from(list(FactKind)))
@settings(deadline=None)
def test_a_summary_that_contains_everything_forgets_nothing(quotes, kind):
    index = PassageIndex("\n".join(quotes), [], quotes)
    assert {judge(fact(quote, kind), index).outcome for quote in quotes} == {Outcome.KEPT}


@given(st.lists(MESSY, min_size=1, max_size=6), st.sampled_from(list(FactKind)))
def test_an_empty_summary_forgets_everything(quotes, kind):
    index = PassageIndex("", [], quotes)
    assert {judge(fact(quote, kind), index).outcome for quote in quotes} == {Outcome.FORGOTTEN}


@given(st.lists(SENTENCE, min_size=2, max_size=6, unique=True), st.randoms())
@settings(deadline=None)
def test_the_order_of_what_was_dropped_changes_no_outcome(quotes, random):
    shuffled = random.sample(quotes, len(quotes))
    one, other = PassageIndex(quotes[0], [], quotes), PassageIndex(quotes[0], [], shuffled)
    assert [judge(fact(q), one) for q in quotes] == [judge(fact(q), other) for q in quotes]
