"""Messages that no compaction took: of edited and repeated turns, and of other branches. They did not stay either."""

import pytest

from conversations.ingest.contexts.astray import MOST_ASTRAY
from conversations.vocabulary import CompactionKind, SummaryState, abandoned_in
from tests.ingest.contexts.talking import Announced, Call, Talk, assistant, result, summary, usage, user, words

SUMMED_UP = [user("Summary of the conversation so far: matters were asked about."), assistant("Understood.")]


def abandoned(talk, number=-1):
    """The texts of what a compaction says was on another branch."""
    return talk.texts(abandoned_in(talk.compactions()[number].raw))


def compact(talk, sent):
    """The client sums up everything but the last two messages of its list."""
    talk.send([*SUMMED_UP, *sent[-2:], user("On.")], assistant("On it."))


def nothing_was_edited(talk):
    compact(talk, talk.turns(6))
    return []


def the_last_turn_was_edited(talk):
    sent = talk.turns(6)
    edited = [*sent[:-2], user("I meant something else."), assistant("Ah, that.")]
    talk.send(edited[:-1], edited[-1])
    compact(talk, edited)
    return words(sent[-2:])


def an_answer_was_made_anew(talk):
    sent = talk.turns(6)
    again = [*sent[:-1], assistant("Another answer."), user("Better."), assistant("Glad.")]
    talk.send(again[:-3], again[-3])
    talk.send(again[:-1], again[-1])
    compact(talk, again)
    return words(sent[-1:])


def the_user_went_far_back(talk):
    sent = talk.turns(6)
    again = [*sent[:4], user("Let us start over from here."), assistant("All right.")]
    talk.send(again[:-1], again[-1])
    compact(talk, again)
    return words(sent[4:])


def a_turn_was_edited_twice(talk):
    sent = talk.turns(5)
    first = [*sent[:-2], user("I meant one."), assistant("One.")]
    second = [*sent[:-2], user("I meant two."), assistant("Two.")]
    talk.send(first[:-1], first[-1])
    talk.send(second[:-1], second[-1])
    compact(talk, second)
    return words([*sent[-2:], *first[-2:]])


def a_request_was_retried(talk):
    sent = talk.turns(6)
    for _ in range(3):
        talk.send(sent[:-1], sent[-1])
    compact(talk, sent)
    return []


def two_branches_went_on_in_turn(talk):
    sent = list(talk.turns(4))
    left, right = [*sent], [*sent]
    for number in range(2):
        for name, branch in (("left", left), ("right", right)):
            branch += [user(f"More {number} on the {name}."), assistant(f"Answer {number} on the {name}.")]
            talk.send(branch[:-1], branch[-1])
    compact(talk, left)
    return words(right[8:])


def the_user_went_back_and_returned(talk):
    sent = list(talk.turns(6))
    aside = [*sent[:-2], user("Something else?"), assistant("No.")]
    talk.send(aside[:-1], aside[-1])
    sent += [user("As before."), assistant("Yes.")]
    talk.send(sent[:-1], sent[-1])
    compact(talk, sent)
    return words(aside[-2:])


def a_message_was_edited_in_the_middle(talk):
    sent = list(talk.turns(6))
    edited = [*sent[:4], user("A better question."), *sent[5:], user("More."), assistant("More of it.")]
    talk.send(edited[:-1], edited[-1])
    compact(talk, edited)
    return words(sent[4:5])


def reminders_were_sent_for_one_request(talk):
    reminders = [user(f"<reminder>It is {number} o'clock.</reminder>") for number in range(5)]
    for number, reminder in enumerate(reminders):
        talk.messages.append(user(f"Question {number}."))
        talk.send([*talk.messages, reminder], assistant(f"Answer {number}."))
        talk.messages.append(assistant(f"Answer {number}."))
    compact(talk, talk.messages)
    return words(reminders)


def an_edited_conversation_was_cut(talk):
    sent = talk.turns(8)
    edited = [*sent[:-2], user("I meant something else."), assistant("Ah, that.")]
    talk.send(edited[:-1], edited[-1])
    talk.send([*edited[-6:], user("On.")], assistant("On it."))
    return words(sent[-2:])


def an_edited_conversation_was_compacted_by_the_api(talk):
    sent = talk.turns(5)
    edited = [*sent[:-2], user("I meant something else.")]
    talk.send(edited, summary("What was said."), assistant("On."), **threshold())
    return words(sent[-2:])


def results_were_edited(talk):
    sent = talk.turns(3)
    talk.send([*sent, user("Read."), result("one", "t1")], assistant("Read."))
    again = [*sent, user("Read anew."), assistant("Nothing.")]
    talk.send(again[:-1], again[-1])
    compact(talk, again)
    return ["Read.", "one", "Read."]


def threshold():
    made = Announced(kind=CompactionKind.THRESHOLD, summary_state=SummaryState.TEXT)
    return {"announced": [made], "calls": [Call(purpose="compaction", usage=usage()), Call(usage=usage())]}


CASES = [each for each in list(globals().values()) if callable(each) and "_" in getattr(each, "__name__", "")
         and each.__module__ == __name__]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_a_compaction_neither_kept_nor_dropped_is_told(case):
    talk = Talk("You are helpful.")

    expected = case(talk)

    assert len(talk.compactions()) == 1
    assert sorted(abandoned(talk)) == sorted(expected)
    [event] = talk.compactions()
    assert not set(abandoned_in(event.raw)) & {*(event.dropped or ()), *event.kept}


def test_it_is_told_with_later_compactions_too():
    talk = Talk()
    sent = talk.turns(5)
    edited = [*sent[:-2], user("I meant something else."), assistant("Ah, that.")]
    talk.send(edited[:-1], edited[-1])
    compact(talk, edited)
    after = [*SUMMED_UP, *edited[-2:], user("On."), assistant("On it.")]
    for number in range(4):
        after += [user(f"Later {number}."), assistant(f"Later answer {number}.")]
        talk.send(after[:-1], after[-1])
    again = [user("Summary of the conversation so far: and more was asked."), assistant("Understood again.")]
    talk.send([*again, *after[-2:], user("End.")], assistant("End of it."))

    assert len(talk.compactions()) == 2
    assert abandoned(talk, 0) == abandoned(talk, 1) == words(sent[-2:])


def test_what_an_older_exchange_did_not_send_stays():
    talk = Talk()
    sent = [user("One."), assistant("Two."), user("Three."), assistant("Four.")]
    first = talk.exchange(sent[:1], summary("Said."), sent[1], **threshold())
    second = talk.exchange(sent[:3], sent[3])
    talk.take(second)
    talk.take(first)

    assert [abandoned_in(each.raw) for each in talk.compactions()] == [[]]


def test_a_bounded_number_is_remembered():
    talk = Talk()
    sent = talk.turns(2)
    for number in range(MOST_ASTRAY + 20):
        talk.send(sent[:-1], assistant(f"Another answer {number}."))

    assert len(talk.known.astray[""]) == MOST_ASTRAY
