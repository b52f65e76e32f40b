"""Signs weighed against the log itself, and the walk that can go on where it stopped."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.audit.harm import MIN_REPLIES, SEVERITY, SIGNALS, HarmState, find_harm
from tests.audit.harm_scenes import ERRAND, NEW, OLD, edit, harm_of, shell, signals_of
from tests.audit.segments import Author, FactKind, Log, SummaryState, fact_of, finding_of, segment_of


def test_a_signal_that_fires_as_often_without_a_boundary_is_not_shown():
    before, after = Log(), Log(100)
    for _ in range(2):
        shell(before, "frob --all", "frob: unknown option --all", is_error=True)
        before.idle(50)
    shell(after, "frob --all", "frob: unknown option --all", is_error=True)

    harm = harm_of(before, [], after)

    assert {hit.signal for hit in harm.state.hits} == {"failing_command_repeated", "same_error_again"}
    assert signals_of(harm) == []


@pytest.mark.parametrize(("replies", "checkable"), [(0, False), (MIN_REPLIES - 1, False), (MIN_REPLIES, True)])
def test_too_little_to_look_at_is_not_nothing_found(replies, checkable):
    harm = harm_of(Log().idle(20), [], Log(100).idle(replies))

    assert (harm.checkable, harm.compaction) == (checkable, ())


def test_an_unreadable_summary_still_shows_what_happened_afterwards():
    before, after = Log().idle(20), Log(100)
    after.user("As I said, the release is frozen.")

    harm = harm_of(before, [], after, summary="", summary_state=SummaryState.ENCRYPTED)

    assert signals_of(harm) == ["user_repeats"]


def test_every_signal_has_a_weight_of_its_own_name():
    assert set(SEVERITY) == {signal.name for signal in SIGNALS}


def looks_up(log):
    log.call("Grep", '{"pattern": "budget"}', "reconnect_budget = int(os.environ['RB'])")
    log.agent("The reconnect_budget is 7.")


def leaves_a_call_open(log):
    log.add(Author.TOOL_INPUT, 'Bash {"command": "frob --all"}', tool="Bash", tool_id=f"open{len(log.lines)}")


#: What may happen after a boundary.
EPISODES = {
    "rule": lambda log: shell(log, "npm install", "done"),
    "repeat": lambda log: log.user("The changelog entries have to be written in French!"),
    "ask": lambda log: log.agent("Should the retry limit apply per queue or per worker?"),
    "lookup": looks_up,
    "fail": lambda log: shell(log, "frob --all", "frob: unknown option --all", is_error=True),
    "edit": lambda log: edit(log, NEW, OLD),
    "task": lambda log: log.call("Task", json.dumps(ERRAND), "Seven callers."),
    "value": lambda log: log.user("It is box-17.example.net."),
    "found": lambda log: log.agent("The lock expires during garbage collection, so the scheduler drops jobs."),
    "idle": lambda log: log.idle(3),
    "allow": lambda log: log.user("You may use npm, revert what you like, and do it again."),
    "open_call": leaves_a_call_open,
}


def played(episodes):
    log = Log(100)
    for episode in episodes:
        EPISODES[episode](log)
    return log


def eventful_past():
    log = Log()
    facts = [
        fact_of(log.user("Never use npm here, we have pnpm."), kind=FactKind.PROHIBITION),
        fact_of(log.user("Write the changelog entries in French, please."), kind=FactKind.PREFERENCE),
        fact_of(log.user("The staging host is box-17.example.net for now."), kind=FactKind.VALUE),
        fact_of(log.agent("The scheduler drops jobs because its lock expires during garbage collection.")),
    ]
    log.agent("Should the retry limit apply per worker or per queue?")
    facts.append(fact_of(log.user("Per queue."), kind=FactKind.DECISION))
    _, shown = log.call("Read", '{"file_path": "net/link.py"}', "reconnect_budget = int(os.environ['RB'])")
    _, failed = shell(log, "frob --all", "frob: unknown option --all", is_error=True)
    edit(log, OLD, NEW)
    log.call("Task", json.dumps(ERRAND), "Seven callers.")
    log.idle(40)
    return log, [*facts, fact_of(shown), fact_of(failed, kind=FactKind.ERROR)]


@settings(deadline=None)
@given(episodes=st.lists(st.sampled_from(sorted(EPISODES)), max_size=12), cuts=st.lists(st.integers(0, 60), max_size=3))
def test_looking_at_new_lines_only_gives_what_a_full_run_gives(episodes, cuts):
    before, facts = eventful_past()
    after = played(episodes)
    findings = [finding_of(fact) for fact in facts]
    segment = segment_of(before.lines, "Nothing.", after.lines)

    harm, state = None, None
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), None], strict=True):
        part = replace(segment, continuation=after.lines[start:end])
        harm = find_harm(part, findings, state=state)
        state = msgspec.json.decode(msgspec.json.encode(harm.state), type=HarmState)  # as it is stored

    assert harm == find_harm(segment, findings)
    assert state == harm.state


def test_lines_already_seen_are_not_counted_twice():
    before, facts = eventful_past()
    after = played(EPISODES)
    segment = segment_of(before.lines, "Nothing.", after.lines)
    findings = [finding_of(fact) for fact in facts]
    whole = find_harm(segment, findings)

    assert find_harm(segment, findings, state=whole.state) == whole


def test_the_eventful_past_shows_every_signal():
    before, facts = eventful_past()
    after = played(each for each in EPISODES if each != "allow")
    findings = [finding_of(fact) for fact in facts]

    harm = find_harm(segment_of(before.lines, "Nothing.", after.lines), findings)

    assert set(signals_of(harm)) == {signal.name for signal in SIGNALS} - {"invented_used"}
