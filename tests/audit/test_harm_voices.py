"""What is said again or asked again, and what only sounds like it."""

import pytest

from tests.audit.harm_scenes import harm_of, signals_of
from tests.audit.segments import FactKind, Log, fact_of


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
