"""What holds for every audit: nothing is claimed without a readable summary, and time is bounded."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.audit import boundary
from conversations.audit.audit import LOST, WATCHED, audit_segment
from conversations.audit.facts.extract import MOST_DRAFTS
from conversations.audit.matching import judge
from conversations.audit.model import Author, FactState, Line
from conversations.vocabulary import CompactionKind, Origin, Outcome, Role, SummaryState
from tests.audit.segments import Log, segment_of

STATEMENTS = (
    "Never push the release branch without asking Maria first.",
    "The download reads its chunks in the order of the index file and stops at gaps.",
    "We chose polling over sockets because the proxy drops idle connections after a minute.",
    "The manual remediation test was not run and is still open.",
    "`resetState` in store/session.go sets StepCount to 1 and clears Touched.",
    "Option B keeps the sidebar and moves the badge into the header row.",
    "There is an edge case when the queue is empty and the lock was taken twice.",
)


def conversation(statements=STATEMENTS):
    log = Log()
    for number, statement in enumerate(statements):
        (log.user if number == 0 else log.agent)(statement)
    return log


def outcomes(audit):
    return {finding.fact.quote: finding.judgement.outcome for finding in audit.findings}


def test_a_summary_that_says_everything_forgets_nothing():
    log = conversation()
    audit = audit_segment(segment_of(log.lines, "\n".join(STATEMENTS)))
    assert len(audit.findings) == len(STATEMENTS)
    assert {finding.judgement.outcome for finding in audit.findings} == {Outcome.KEPT}
    assert audit.retention.value == 1.0


def test_a_summary_that_says_nothing_forgets_everything_open():
    audit = audit_segment(segment_of(conversation().lines, "Hello."))
    open_facts = [f for f in audit.findings if f.fact.state is FactState.OPEN]
    assert open_facts
    assert {f.judgement.outcome for f in open_facts} == {Outcome.FORGOTTEN}
    assert audit.retention.value == 0.0


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (SummaryState.ENCRYPTED, CompactionKind.HOSTED_OPAQUE),
        (SummaryState.ABSENT, CompactionKind.CLIENT),
        (SummaryState.FAILED, CompactionKind.CLIENT),
        (SummaryState.ABSENT, CompactionKind.TOOL_CLEAR),
    ],
)
def test_without_a_readable_summary_no_loss_is_claimed(state, kind):
    audit = audit_segment(segment_of(conversation().lines, summary_state=state, kind=kind))
    assert (audit.findings, audit.added, audit.retention.value) == ((), (), None)


def test_a_cut_forgets_what_stands_in_no_message_that_stayed():
    lines = conversation().lines
    about = {"summary_state": SummaryState.ABSENT, "kind": CompactionKind.TRUNCATION}
    audit = audit_segment(segment_of(lines[1:], kept=lines[:1], **about))
    lost = [finding.judgement for finding in audit.findings if finding.fact.state is FactState.OPEN]
    assert {judgement.outcome for judgement in lost} == {Outcome.FORGOTTEN}
    assert all("summary" not in judgement.reason for judgement in lost)
    assert audit.added == ()
    assert audit.retention.value == 0.0


def test_what_stands_verbatim_in_a_kept_message_is_not_forgotten():
    log = conversation()
    audit = audit_segment(segment_of(log.lines[:-1], "Hello.", kept=[log.lines[-1], *log.lines[:1]]))
    assert outcomes(audit)[STATEMENTS[0]] is Outcome.KEPT


@settings(max_examples=25, deadline=None)
@given(st.permutations(STATEMENTS[1:]))
def test_the_order_of_unrelated_messages_changes_no_outcome(order):
    summary = f"{STATEMENTS[1]} {STATEMENTS[4]} The proxy drops idle connections."
    moved = audit_segment(segment_of(conversation((STATEMENTS[0], *order)).lines, summary))
    usual = audit_segment(segment_of(conversation().lines, summary))
    assert outcomes(moved) == outcomes(usual)


def test_losses_come_first_and_best_first():
    audit = audit_segment(segment_of(conversation().lines, STATEMENTS[1]))
    lost = [f.judgement.outcome in LOST for f in audit.findings]
    assert lost == sorted(lost, reverse=True)
    ranks = [f.rank for f in audit.findings if f.judgement.outcome in LOST]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize(
    ("summary", "outcome"),
    [
        ("Checks are run with `mise run test`.", Outcome.KEPT),
        ("The test of mise was mended, run it.", Outcome.FORGOTTEN),
        ("Nothing of it.", Outcome.FORGOTTEN),
    ],
)
def test_how_something_is_run_is_known_where_it_stands_as_it_is_run(summary, outcome):
    log = Log()
    log.call("Bash", json.dumps({"command": "mise run test"}), "fine")
    audit = audit_segment(segment_of(log.lines, summary))
    assert outcomes(audit)["mise run test"] is outcome


def test_a_figure_that_was_replaced_before_the_boundary_is_no_loss():
    log = Log()
    log.agent("The preview server of the shop listens on port 5173 now.")
    log.agent("The preview server of the shop listens on port 5199 now.")
    audit = audit_segment(segment_of(log.lines, "Nothing of it."))
    assert list(outcomes(audit).values()) == [Outcome.FORGOTTEN, Outcome.SUPERSEDED]


def test_what_was_finished_before_the_boundary_is_no_loss():
    log = Log()
    todos = {"todos": [{"content": "Write the migration for the shares table", "status": "completed"}]}
    log.call("TodoWrite", json.dumps(todos), "ok")
    audit = audit_segment(segment_of(log.lines, "Hello."))
    assert [f.judgement.outcome for f in audit.findings] == [Outcome.SUPERSEDED]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=6), st.text(max_size=120))
def test_quotes_are_verbatim_whatever_the_text(texts, summary):
    log = Log()
    for number, text in enumerate(texts):
        log.add((Author.USER, Author.ASSISTANT, Author.THINKING, Author.TOOL_RESULT)[number % 4], text)
    by_place = {(line.message, line.block): line.text for line in log.lines}
    for finding in audit_segment(segment_of(log.lines, summary)).findings:
        span = finding.fact.spans[0]
        assert by_place[span.message, span.block][span.start : span.end] == finding.fact.quote


def word(number):
    return "".join(chr(97 + int(digit) * 2) for digit in f"{number:05}")


def test_a_list_of_any_length_is_judged_only_so_far(monkeypatch):
    judged = []
    monkeypatch.setattr(boundary, "judge", lambda fact, index: judged.append(fact) or judge(fact, index))
    line = Log().agent("\n".join(f"- service {word(n)} listens on port {n + 2_000}" for n in range(30_000)))
    found = audit_segment(segment_of([line], "A short summary of it all."))
    assert 0 < len(judged) <= MOST_DRAFTS
    lost = [finding for finding in found.findings if finding.judgement.outcome in LOST]
    assert 0 < len(lost) <= WATCHED


def test_retention_counts_losses_that_are_not_reported():
    log = Log()
    for number in range(200):
        log.agent(f"Service {word(number)} listens on port {number + 2_000} behind the proxy.")
    found = audit_segment(segment_of(log.lines, "A short summary of it all."))
    assert found.retention.facts > len(found.findings)


ADVERSARIAL = {
    "one long line": "a" * 3_000_000,
    "one long line of words": "lorem ipsum " * 200_000,
    "nested markup": "**_`" * 100_000,
    "lists in lists": "\n".join(" " * (n % 500) + "- item that says a little" for n in range(30_000)),
    "fences": "```\n" * 100_000,
    "table": "| a | b |\n" * 100_000,
    "open tags": "<system-reminder>" * 50_000,
    "brackets for patterns": "((((a+)+)+)+" * 50_000 + "!",
    "quotes": '"=' * 300_000,
    "escapes": "\\" * 500_000 + '"',
    "control characters": "".join(map(chr, range(32))) * 20_000,
    "right to left": "\u202e\u05d0\u05d1 \u0627\u0644 " * 100_000,
    "let me": "Let me " * 100_000,
    "paths": "/a" * 300_000,
}


@pytest.mark.parametrize("name", ADVERSARIAL)
@pytest.mark.parametrize("author", [Author.USER, Author.ASSISTANT, Author.TOOL_INPUT, Author.TOOL_RESULT])
def test_adversarial_text_ends_in_bounded_time(name, author):
    role = Role.USER if author is Author.USER else Role.ASSISTANT
    text = ADVERSARIAL[name]
    lines = [
        Line("m0", 0, Role.ASSISTANT, Author.TOOL_INPUT, 'Read {"path": "/a.md"}', 0, Origin.SPOKEN, "Read", "t1"),
        Line("m1", 0, role, author, text, 1, Origin.SPOKEN, "Read", "t1"),
    ]
    begun = time.process_time()
    audit_segment(segment_of(lines, "A short summary of it all.", lines[1:]))
    assert time.process_time() - begun < 20
