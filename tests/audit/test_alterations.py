from dataclasses import replace

import pytest

from conversations.audit.alterations import altered
from conversations.audit.model import Author, Detail, FactKind, FactState
from conversations.audit.passages import PassageIndex
from tests.audit.cases import fact

STATE, FINDING, RULE = FactKind.STATE, FactKind.FINDING, FactKind.REQUIREMENT


def verdict(given, summary, later=""):
    """What `altered` says of `given`, after which `later` was said."""
    index = PassageIndex(summary, [], [given.quote, later], positions=[given.last, given.last + 1])
    return altered(given, given.quote, (0, len(summary)), index)


@pytest.mark.parametrize(
    ("quote", "kind", "summary", "detail"),
    [
        ("The nightly importer job was not run.", STATE, "Docs done.\nNightly importer job verified.", Detail.FLIPPED),
        ("The crash is probably caused by the shared cache.", FINDING,
         "The crash is caused by the shared cache.", Detail.FLIPPED),
        ("`refresh_tokens` is defined but never called in the worker.", FINDING,
         "`refresh_tokens` is defined and called in the worker.", Detail.FLIPPED),
        ("Keep `BATCH_SIZE` (used by the export)", RULE, "Removed `BATCH_SIZE` import.", Detail.FLIPPED),
        ("Never drop the old billing table.", FactKind.PROHIBITION, "Drop the old billing table.", Detail.WEAKENED),
        ("The importer lock lasts 60 seconds for each nightly job in production", FINDING,
         "Importer lock lasts 90 seconds.", Detail.DISTORTED),
    ],
)  # fmt: skip
def test_what_a_summary_states_wrongly_is_found(quote, kind, summary, detail):
    judgement = verdict(fact(quote, kind), summary)

    assert judgement.detail is detail
    assert judgement.reason.endswith(".")


@pytest.mark.parametrize(
    ("quote", "kind", "summary", "later"),
    [
        ("The nightly importer job was not run.", STATE, "Nightly importer job verified.", "ok  importer 0.31s"),
        ("The nightly importer job was not run.", STATE, "Nightly importer job verified.", "12 passed"),
        ("The nightly importer job was not run.", STATE,
         "Importer job verified.\nThe nightly importer job was not run.", ""),
        ("The crash is probably caused by the shared cache.", FINDING,
         "The crash is caused by the shared cache.", "Confirmed: the shared cache causes the crash."),
        ("The crash is probably caused by the shared cache.", FINDING, "The crash may be the shared cache.", ""),
        ("`refresh_tokens` is defined but never called in the worker.", FINDING,
         "`refresh_tokens` is defined and called in the worker.", "`refresh_tokens` is now called in the worker"),
        ("`refresh_tokens` is defined but never called in the worker.", FINDING,
         "`refresh_tokens` is defined, yet the worker lacks a call.", ""),
        ("Keep `BATCH_SIZE` (used by the export)", RULE, "Removed `BATCH_SIZE` import.",
         "I have now removed `BATCH_SIZE`, which the export used."),
        ("Keep `BATCH_SIZE` (used by the export)", RULE, "Removed `BATCH_SIZE_MAX`.", ""),
        ("Keep notes (used by the export)", RULE, "Removed notes.", ""),
    ],
)  # fmt: skip
def test_progress_and_honest_words_are_left_alone(quote, kind, summary, later):
    judgement = verdict(fact(quote, kind), summary, later)

    assert judgement is None or judgement.detail not in {Detail.FLIPPED, Detail.WEAKENED}


@pytest.mark.parametrize(
    ("quote", "summary", "detector"),
    [
        ("467 passed, 9 skipped in 69.90s", "467 tests pass.", "flipped"),
        ("2 failed, 465 passed in 69.90s", "All 467 tests pass.", "flipped"),
        ("467 passed, 9 skipped in 69.90s", "467 tests pass, the contract tests are skipped.", None),
        ("467 passed, 0 skipped in 69.90s", "467 tests pass.", None),
        ("467 passed, 9 skipped in 69.90s", "The tests take 70 seconds.", None),
    ],
)
def test_a_check_that_left_something_over_is_not_to_be_told_as_passed(quote, summary, detector):
    run = replace(fact(quote, STATE, author=Author.TOOL_RESULT), cues=("last run",))
    judgement = verdict(run, summary)
    assert (judgement and judgement.detector) == detector


@pytest.mark.parametrize(
    "given",
    [
        fact("The nightly importer job was not run.", STATE, state=FactState.SETTLED),
        fact("The nightly importer job was not run.", STATE, author=Author.TOOL_RESULT),
    ],
)
def test_what_was_finished_or_is_no_speech_is_left_alone(given):
    assert verdict(given, "Nightly importer job verified.") is None


def test_what_an_agent_thinks_aloud_binds_nobody():
    aloud = fact("Deploy the billing service, but not on the production cluster", RULE, author=Author.THINKING)
    aimed = fact("Deploy the billing service, but not on the production cluster", RULE, author=Author.USER)

    assert verdict(aloud, "Deploy the billing service.") is None
    assert verdict(aimed, "Deploy the billing service.").detector == "lost_clause"
