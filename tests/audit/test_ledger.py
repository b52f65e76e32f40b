from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.audit.anchors import kind_of, propose, stands_in
from conversations.audit.ledger import Entry, check_entries
from conversations.audit.model import Author, FactKind, Line, Segment
from conversations.vocabulary import CompactionKind, LedgerOutcome, Role, SummaryState

FROZEN = Entry(
    1, FactKind.PROHIBITION, "Never write to ledger_v1: the auditors have frozen it.", anchors=("ledger_v1",)
)
TESTS = Entry(2, FactKind.REQUIREMENT, "Always run make test-billing before you commit.")
GERMAN = Entry(3, FactKind.PREFERENCE, "Answer in German and use metric units.")
ENTRIES = (FROZEN, TESTS, GERMAN)
SAID = (
    "We are migrating the billing service to the new API. Please keep going.",
    "The tests run with make test-billing and take 40 seconds.",
    "I looked at src/billing/webhook.py and it retries three times.",
    "The rollout is on Tuesday 3 December at 20 %.",
)


def lines(texts, first=0, author=Author.USER):
    return [Line(f"m{number}", 0, Role.USER, author, text, number) for number, text in enumerate(texts, first)]


def segment(summary, said=SAID, *, kept=(), restored=(), **fields):
    about = {
        "kind": CompactionKind.CLIENT,
        "summary_state": SummaryState.TEXT,
        "continuation": (),
        "complete": True,
        **fields,
    }
    return Segment(
        boundary="b", number=1, summary=summary, dropped=lines(said), kept=lines(kept, 100),
        restored=lines(restored, 200), **about,
    )  # fmt: skip


def outcome(entry, *args, **fields):
    [check] = check_entries([entry], segment(*args, **fields))
    return check


@pytest.mark.parametrize(
    ("entry", "summary", "expected", "detector"),
    [
        (FROZEN, "Never write to ledger_v1: the auditors have frozen it.", "kept", "verbatim"),
        (FROZEN, "- ledger_v1 must not be written to (frozen by the auditors)", "kept", "presence"),
        (FROZEN, "- ledger_v1 is frozen; read-only.", "kept", "presence"),
        (FROZEN, "The user migrates the billing service.", "forgotten", "presence"),
        (FROZEN, "- The auditors looked at ledger_v1.", "altered", "weakened"),
        (FROZEN, "- Never write to the old table: the auditors have frozen it.", "altered", "anchor"),
        (FROZEN, "- You must write to ledger_v1, the auditors have frozen it.", "altered", "polarity"),
        (TESTS, "Never commit without running make test-billing.", "kept", "presence"),
        (TESTS, "Never run make test-billing before you commit.", "altered", "polarity"),
        (TESTS, "You need not always run make test-billing before you commit.", "altered", "polarity"),
        (TESTS, "Tests could be run with make test-billing if possible before you commit.", "altered", "weakened"),
        (GERMAN, "User wants answers in German with metric units.", "kept", "presence"),
        (GERMAN, "The user likes it.", "forgotten", "presence"),
    ],
)
def test_check_says_what_the_summary_made_of_a_rule_that_was_told(entry, summary, expected, detector):
    check = outcome(entry, f"The billing service is being migrated.\n{summary}\nNext: go on.", [*SAID, entry.text])
    assert (check.outcome, check.detector) == (expected, detector)
    assert check.reason.endswith((".", "”."))
    assert check.passage in f"The billing service is being migrated.\n{summary}\nNext: go on."


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    ("said", "fields", "expected"),
    [
        (False, {}, "not_in_context"),
        (False, {"complete": False}, "unverifiable"),
        (True, {"complete": False}, "forgotten"),
        (True, {"summary_state": SummaryState.ENCRYPTED}, "unverifiable"),
        (True, {"summary_state": SummaryState.ABSENT}, "unverifiable"),
        (False, {"summary_state": SummaryState.ENCRYPTED}, "not_in_context"),
        (True, {"summary_state": SummaryState.ABSENT, "kind": CompactionKind.TRUNCATION}, "forgotten"),
        (True, {"summary_state": SummaryState.ABSENT, "kind": CompactionKind.TOOL_CLEAR}, "unverifiable"),
        (False, {"summary_state": SummaryState.ABSENT, "kind": CompactionKind.MICROCOMPACT}, "not_in_context"),
    ],
)
def test_check_of_what_the_summary_does_not_tell(entry, said, fields, expected):
    summary = "" if "summary_state" in fields else "Nothing was agreed."
    assert outcome(entry, summary, [*SAID, entry.text] if said else SAID, **fields).outcome == expected


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("place", ["kept", "restored"])
@pytest.mark.parametrize("state", [SummaryState.TEXT, SummaryState.ENCRYPTED])
def test_rule_in_a_message_that_stayed_or_was_put_back_is_kept(entry, place, state):
    check = outcome(entry, "", [*SAID, entry.text], summary_state=state, **{place: [f"Rules:\n* {entry.text}\nEnd."]})
    assert (check.outcome, check.detector) == ("kept", "kept_message")
    assert entry.text in check.passage


def test_entry_that_the_compaction_before_left_there_is_forgotten_though_nobody_said_it_again():
    [untold] = check_entries([FROZEN], segment("Nothing was agreed."))
    [known] = check_entries([FROZEN], segment("Nothing was agreed."), known={FROZEN.id})
    assert (untold.outcome, known.outcome) == ("not_in_context", "forgotten")


def test_compaction_that_failed_is_not_checked():
    assert check_entries(ENTRIES, segment("", summary_state=SummaryState.FAILED)) == []


def test_words_of_a_rule_that_are_denied_do_not_keep_it():
    entry = replace(TESTS, text="Run make test-billing before you commit.")
    said = [*SAID, entry.text]
    assert outcome(entry, "Do not run make test-billing before you commit.", said).outcome == "altered"
    assert outcome(entry, "You are to run make test-billing before you commit.", said).outcome == "kept"


# --- what holds whatever is said --------------------------------------------------------------------------------------

WORDS = st.text("abcdefghij 0123_-./", min_size=1, max_size=60)
SENTENCES = st.one_of(
    st.sampled_from([entry.text for entry in ENTRIES]),
    st.sampled_from([*SAID, "Ledger books balance.", "Ça marche; 再試行は三回まで", "x" * 700]),
    WORDS,
)
TEXTS = st.lists(SENTENCES, max_size=5)
KINDS = st.sampled_from([FactKind.PROHIBITION, FactKind.REQUIREMENT, FactKind.DECISION, FactKind.FINDING])
RULES = st.one_of(
    st.sampled_from([entry.text for entry in ENTRIES]),
    st.lists(st.sampled_from(["deploy", "never", "must", "always", "node_7", "on", "Friday", "only", "v2.1.0"]),
             min_size=3, unique=True).map(" ".join),
)  # fmt: skip


@given(RULES, KINDS, TEXTS, TEXTS, st.sampled_from(list(CompactionKind)))
@settings(max_examples=40)
def test_summary_with_the_rule_in_its_words_keeps_it(rule, kind, before, after, how):
    entry = Entry(7, kind, rule, tuple(propose(rule)))
    summary = "\n\n".join([*after[:2], rule, *after[2:]])
    check = outcome(entry, summary, [*before, rule], kind=how)
    assert check.outcome == (
        "unverifiable" if how in {CompactionKind.TOOL_CLEAR, CompactionKind.MICROCOMPACT} else "kept"
    )


@given(RULES, KINDS, TEXTS, st.booleans())
@settings(max_examples=40)
def test_nothing_left_forgets_what_was_told(rule, kind, before, complete):
    check = outcome(Entry(7, kind, rule, tuple(propose(rule))), "", [*before, rule], complete=complete)
    assert (check.outcome, check.passage) == ("forgotten", "")


@given(TEXTS, TEXTS, TEXTS, st.permutations(ENTRIES), st.booleans())
@settings(max_examples=40)
def test_entries_are_judged_each_by_itself(before, after, kept, order, complete):
    where = segment("\n".join(after), before, kept=kept, complete=complete)
    alone = {entry.id: check for entry in ENTRIES for check in check_entries([entry], where)}
    together = check_entries(order, where)
    assert [check.entry for check in together] == [entry.id for entry in order]
    assert {check.entry: check.outcome for check in together} == {pk: check.outcome for pk, check in alone.items()}


@given(TEXTS, TEXTS)
@settings(max_examples=40)
def test_what_is_not_readable_is_never_called_lost(before, kept):
    checks = check_entries(ENTRIES, segment("", before, kept=kept, summary_state=SummaryState.ENCRYPTED))
    assert {check.outcome for check in checks}.isdisjoint({LedgerOutcome.FORGOTTEN, LedgerOutcome.ALTERED})


# --- anchors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Never write to ledger_v1: the auditors have frozen it.", ["ledger_v1"]),
        ("Port 5433 of src/billing/db.py is staging; see #412 and `make nightly`.",
         ["5433", "src/billing/db.py", "#412", "make nightly"]),
        ("Use `ledger_v2`, never `ledger_v1`, and ledger_v2 again.", ["ledger_v2", "ledger_v1"]),
        ("Roll out to 20 % on 3 December 2026.", ["20 %", "3 December 2026"]),
        ("Ask before you delete anything in step 3.", []),
    ],
)  # fmt: skip
def test_anchors_are_proposed_as_they_are_written(text, expected):
    assert propose(text) == expected


@given(st.text(max_size=300))
def test_proposed_anchors_stand_in_the_rule(text):
    assert all(stands_in(anchor, text) for anchor in propose(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Never write to ledger_v1.", "prohibition"),
        ("Don’t run migrations against staging.", "prohibition"),
        ("Tests must be run with make.", "requirement"),
        ("Use the local database on port 5433.", "requirement"),
        ("Customer 8841 is VAT exempt.", "finding"),
    ],
)
def test_kind_is_read_off_the_words(text, kind):
    assert kind_of(text) == kind


def test_lines_with_an_anchor_speak_of_the_rule_whatever_else_is_nearer():
    entry = replace(FROZEN, text="Never write to ledger_v1 from new code.")
    summary = "Ground rules: keep ledger_v1 as it is (audit).\ndocs/runbook-ledger-v2.md is written, with new code."
    check = outcome(entry, summary, [*SAID, entry.text])
    assert "ledger_v1" in check.passage
