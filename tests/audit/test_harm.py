"""Each sign of harm, the nearest thing that is none, and the walk that can go on where it stopped."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.audit.harm import MIN_REPLIES, SEVERITY, SIGNALS, HarmState, find_harm
from conversations.audit.model import Added
from tests.audit.segments import Author, FactKind, Log, Outcome, SummaryState, fact_of, finding_of, segment_of


def harm_of(before, facts, after, summary="Nothing.", **fields):
    """Harm with every fact forgotten; `after` continues the numbering of `before`."""
    segment = segment_of(before.lines, summary, after.lines, **fields)
    return find_harm(segment, [finding_of(fact) for fact in facts])


def signals_of(harm):
    found = [evidence for group in harm.facts.values() for evidence in group] + list(harm.compaction)
    return [evidence.signal for evidence in found]


def shell(log, command, answer, **fields):
    return log.call("Bash", json.dumps({"command": command}), answer, **fields)


# --- rule_broken -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("Never use npm here, we have pnpm.", "cd web && npm install left-pad"),
        ("Please do not push to the remote.", "git push origin HEAD"),
        ("Don't commit, I do that myself.", "git add -A && git -c user.name=x commit -m wip"),
        ("Stop using `git stash`.", "git stash pop"),
        ("Never pass --no-verify.", "git commit --no-verify -m wip"),
    ],
)
def test_a_forbidden_command_breaks_a_lost_rule(rule, command):
    before, after = Log(), Log(100)
    fact = fact_of(before.user(rule), kind=FactKind.PROHIBITION)
    before.idle(20)
    made, result = shell(after, command, "done")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert (evidence.signal, evidence.messages) == ("rule_broken", (made.message, result.message))
    assert evidence.base_rate == 0.0


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("Never use npm here, we have pnpm.", "pnpm install left-pad"),
        ("Never use npm here, we have pnpm.", "grep npm package.json"),
        ("Please do not push until I have looked.", "git push origin HEAD"),
        ("Use git push at the end.", "git push origin HEAD"),
        ("Don't commit, I do that myself.", "git log --grep commit"),
    ],
)
def test_another_command_does_not_break_it(rule, command):
    before, after = Log(), Log(100)
    fact = fact_of(before.user(rule), kind=FactKind.PROHIBITION)
    before.idle(20)
    shell(after, command, "done")

    assert signals_of(harm_of(before, [fact], after)) == []


def test_what_the_user_allows_after_the_boundary_breaks_no_rule():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Please do not push to the remote."), kind=FactKind.PROHIBITION)
    before.idle(20)
    after.user("Looks good, you can push now.")
    shell(after, "git push", "done")

    assert signals_of(harm_of(before, [fact], after)) == []


def test_a_kept_rule_that_is_broken_is_no_loss():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Never use npm here."), kind=FactKind.PROHIBITION)
    before.idle(20)
    shell(after, "npm install", "done")
    segment = segment_of(before.lines, "Never use npm.", after.lines)

    assert find_harm(segment, [finding_of(fact, Outcome.KEPT)]).facts == {}


def test_a_change_of_a_forbidden_file_breaks_the_rule_and_reading_it_does_not():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Do not touch config/prod.yaml at all."), kind=FactKind.PROHIBITION)
    before.idle(20)
    after.call("Read", '{"file_path": "/srv/app/config/prod.yaml"}', "port: 1")
    edit = {"file_path": "/srv/app/config/prod.yaml", "old_string": "port: 1", "new_string": "port: 2"}
    made, result = after.call("Edit", json.dumps(edit), "ok")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert evidence.messages == (made.message, result.message)


# --- what is said ----------------------------------------------------------------------------------------------------


def test_the_user_says_a_lost_rule_again():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Write the changelog entries in French, please."), kind=FactKind.PREFERENCE)
    before.idle(20)
    said = after.user("The changelog entries have to be written in French!")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert (evidence.signal, evidence.messages, evidence.position) == ("user_repeats", (said.message,), said.position)


@pytest.mark.parametrize(
    "said",
    [
        "Write the readme, please.",  # shares a verb and a courtesy
        "Write the changelog entries in French, please.",  # the same queued turn, delivered after the boundary
        "/changelog write the entries in French",  # a command of the harness
        "Here is the log:\n```\nwrite the changelog entries in French\n```",  # pasted
    ],
)
def test_other_words_are_no_repetition(said):
    before, after = Log(), Log(100)
    fact = fact_of(before.user("Write the changelog entries in French, please."), kind=FactKind.PREFERENCE)
    before.idle(20)
    after.user(said)

    assert "user_repeats" not in signals_of(harm_of(before, [fact], after))


def test_a_reminder_counts_even_where_no_fact_is_known():
    before, after = Log(), Log(100)
    before.idle(20)
    said = after.user("I already told you that we deploy on Fridays only.")

    [evidence] = harm_of(before, [], after).compaction

    assert (evidence.signal, evidence.messages) == ("user_repeats", (said.message,))


def test_the_agent_asks_what_was_answered():
    before, after = Log(), Log(100)
    asked = before.agent("Two ways are possible.\n\nShould the retry limit apply per worker or per queue?")
    answer = before.user("Per queue.")
    fact = fact_of(answer, kind=FactKind.DECISION)
    before.idle(20)
    again = after.agent("Before I go on: should the retry limit apply per queue or per worker?")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert (evidence.signal, evidence.messages) == ("asked_again", (asked.message, answer.message, again.message))


def test_another_question_about_the_same_thing_is_not_the_same_question():
    before, after = Log(), Log(100)
    before.agent("Should the retry limit apply per worker or per queue?")
    before.user("Per queue.")
    before.idle(20)
    after.agent("Should the retry delay grow after each failed attempt?")

    assert signals_of(harm_of(before, [], after)) == []


def test_a_question_nobody_answered_may_be_asked_again():
    before, after = Log(), Log(100)
    before.agent("Should the retry limit apply per worker or per queue?")
    before.idle(20)
    after.agent("Should the retry limit apply per worker or per queue?")

    assert signals_of(harm_of(before, [], after)) == []


# --- what has to be got again ----------------------------------------------------------------------------------------


def lookup(used="The reconnect_budget is 7, so the loop ends."):
    """A line of a file that was read, forgotten, read again and then used."""
    before, after = Log(), Log(100)
    code = "reconnect_budget = int(os.environ['RB'])"
    _, shown = before.call("Read", '{"file_path": "net/link.py"}', f"import os\n{code}\n")
    before.idle(20)
    made, result = after.call("Grep", '{"pattern": "budget"}', f"net/link.py:2:{code}\n" + "x" * 247)
    after.agent(used)
    return before, fact_of(shown, code), after, made, result


def test_what_a_tool_has_to_bring_back_costs_its_tokens():
    before, fact, after, made, result = lookup()

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert evidence.signal == "looked_up_again"
    assert evidence.messages[:2] == (made.message, result.message)
    assert evidence.cost_tokens == round(len(result.text) / 2.47)


def test_what_is_brought_back_and_not_used_is_no_harm():
    before, fact, after, *_ = lookup(used="Something else altogether.")

    assert harm_of(before, [fact], after).facts == {}


def test_what_the_summary_says_can_still_be_read_again():
    before, fact, after, *_ = lookup()

    segment = segment_of(before.lines, "reconnect_budget is read from RB.", after.lines)

    assert find_harm(segment, [finding_of(fact, Outcome.KEPT)]).facts == {}


def test_what_the_agent_names_itself_was_not_lost_to_it():
    before, fact, after, *_ = lookup()
    knowing = Log(90)
    knowing.agent("reconnect_budget must be raised.")

    assert harm_of(before, [fact], joined(knowing, after)).facts == {}


def test_a_read_that_the_edit_of_the_file_needs_is_no_harm():
    before, after = Log(), Log(100)
    code = "reconnect_budget = int(os.environ['RB'])"
    _, shown = before.call("Read", '{"file_path": "net/link.py"}', code)
    before.idle(20)
    after.call("Read", '{"file_path": "net/link.py"}', code)
    edit = {"file_path": "net/link.py", "old_string": code, "new_string": "reconnect_budget = 7"}
    after.call("Edit", json.dumps(edit), "ok")

    assert harm_of(before, [fact_of(shown)], after).facts == {}


def test_the_user_has_to_give_a_lost_value_again():
    before, after = Log(), Log(100)
    fact = fact_of(before.user("The staging host is box-17.example.net for now."), kind=FactKind.VALUE)
    before.idle(20)
    said = after.user("It is box-17.example.net.")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert (evidence.signal, evidence.messages) == ("user_supplies_again", (said.message,))


def test_the_agent_states_as_new_what_it_had_found_out():
    before, after = Log(), Log(100)
    fact = fact_of(before.agent("The scheduler drops jobs because its lock expires during garbage collection."))
    before.idle(20)
    said = after.agent("I see it now. The lock expires during garbage collection, so the scheduler drops jobs.")

    [evidence] = harm_of(before, [fact], after).facts[fact.id]

    assert (evidence.signal, evidence.messages) == ("worked_out_again", (said.message,))


# --- what is done again ----------------------------------------------------------------------------------------------


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


OLD = "retries = 3  # the gateway drops the first one"
NEW = "retries = 9  # the gateway drops several of them"


def edit(log, old, new):
    return log.call("Edit", json.dumps({"file_path": "net/link.py", "old_string": old, "new_string": new}), "ok")


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


ERRAND = {
    "description": "Map the queue code",
    "prompt": "List every caller of enqueue and what each passes as priority.",
}


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


# --- weighed against the log itself ----------------------------------------------------------------------------------


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


# --- going on where it stopped ---------------------------------------------------------------------------------------


def joined(*logs):
    log = Log()
    log.lines = [line for each in logs for line in each.lines]
    return log


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
