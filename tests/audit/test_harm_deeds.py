"""What is done again, taken back or done on the word of an invention."""

import json

import pytest

from conversations.audit.harm import find_harm
from conversations.audit.model import Added
from tests.audit.harm_scenes import ERRAND, NEW, OLD, edit, harm_of, shell, signals_of
from tests.audit.segments import FactKind, Log, fact_of, segment_of


def test_a_command_form_that_fails_is_tried_again():
    before, after = Log(), Log(100)
    first, answer = shell(before, "frob --all 2>&1 | tail -5", "frob: unknown option --all", is_error=True)
    fact = fact_of(answer, kind=FactKind.ERROR)
    before.idle(40)
    again, _ = shell(after, "cd /srv && frob --all", "frob: unknown option --all", is_error=True)

    harm = harm_of(before, [fact], after)

    [fails, error] = sorted(harm.facts[fact.id], key=lambda evidence: evidence.signal)
    assert (fails.signal, error.signal) == ("failing_command_repeated", "same_error_again")
    assert fails.messages == (first.message, answer.message, again.message)


@pytest.mark.parametrize(
    ("command", "first", "second"),
    [
        ("make test", "3 tests failed in suite alpha", "3 tests failed in suite alpha"),  # ordinary work
        (
            "frob --all",
            "<tool_use_error>frob is unknown here</tool_use_error>",
            "<tool_use_error>frob</tool_use_error>",
        ),
    ],
)
def test_routine_runs_and_refusals_of_the_harness_are_no_sign(command, first, second):
    before, after = Log(), Log(100)
    shell(before, command, first, is_error=True)
    before.idle(40)
    shell(after, command, second, is_error=True)

    assert signals_of(harm_of(before, [], after)) == []


def test_a_command_that_worked_since_may_fail_again():
    before, after = Log(), Log(100)
    shell(before, "frob --all", "frob: unknown option --all", is_error=True)
    shell(before, "frob --all", "ok")
    before.idle(40)
    shell(after, "frob --all", "frob: disk full", is_error=True)

    assert signals_of(harm_of(before, [], after)) == []


def test_an_error_still_being_worked_on_is_no_news():
    before, after = Log(), Log(100)
    before.idle(40)
    shell(before, "frob --all", "frob: unknown option --all", is_error=True)
    shell(after, "frob --other", "frob: unknown option --all", is_error=True)

    assert signals_of(harm_of(before, [], after)) == []


def test_a_change_is_taken_back():
    before, after = Log(), Log(100)
    first, _ = edit(before, OLD, NEW)
    before.idle(20)
    again, _ = edit(after, NEW, OLD)

    [evidence] = harm_of(before, [], after).compaction

    assert evidence.signal == "change_taken_back"
    assert {first.message, again.message} <= set(evidence.messages)


def test_a_change_the_user_wants_back_is_no_harm():
    before, after = Log(), Log(100)
    edit(before, OLD, NEW)
    before.idle(20)
    after.user("Please revert that.")
    edit(after, NEW, OLD)

    assert signals_of(harm_of(before, [], after)) == []


@pytest.mark.parametrize(("old", "new"), [("x = 1", "x = 2"), ("import os\n" * 9, "import re\n" * 9)])
def test_small_changes_and_imports_come_and_go(old, new):
    before, after = Log(), Log(100)
    edit(before, old, new)
    before.idle(20)
    edit(after, new, old)

    assert signals_of(harm_of(before, [], after)) == []


@pytest.mark.parametrize(("said", "expected"), [("Go on.", ["delegated_twice"]), ("Run that once more.", [])])
def test_work_is_delegated_twice_unless_the_user_wants_it(said, expected):
    before, after = Log(), Log(100)
    before.call("Task", json.dumps(ERRAND), "Seven callers.")
    before.idle(20)
    after.user(said)
    after.call("Task", json.dumps(ERRAND), "Seven callers.")

    assert signals_of(harm_of(before, [], after)) == expected


def test_an_invented_value_is_acted_upon():
    before, after = Log().idle(20), Log(100)
    added = Added("a1", "unseen_value", "src/ghost.py", 0, 12, "Never seen.", 0.8)
    made, _ = after.call("Read", '{"file_path": "/srv/src/ghost.py"}', "No such file", is_error=True)

    harm = find_harm(segment_of(before.lines, "src/ghost.py", after.lines), [], [added])

    [evidence] = harm.added["a1"]
    assert (evidence.signal, evidence.messages) == ("invented_used", (made.message,))
