"""What has to be got again: looked up, given by the user, worked out."""

import json

from conversations.audit.harm import find_harm
from tests.audit.harm_scenes import harm_of
from tests.audit.segments import FactKind, Log, Outcome, fact_of, finding_of, segment_of


def joined(*logs):
    log = Log()
    log.lines = [line for each in logs for line in each.lines]
    return log


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
