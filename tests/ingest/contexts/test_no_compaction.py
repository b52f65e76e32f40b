"""What must not be taken for a compaction: everything else that clients do to the list of messages they send."""

import pytest

from tests.ingest.contexts.talking import (
    Image,
    MessageEvent,
    RequestEvent,
    Role,
    Spoken,
    Talk,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    assistant,
    calls,
    result,
    results,
    user,
    words,
)


def grows(talk):
    talk.turns(8)


def last_message_is_edited_and_sent_again(talk):
    sent = talk.turns(6)
    edited = [*sent[:-2], user("I meant something else.")]
    talk.send(edited, assistant("Ah, that."))
    talk.send([*edited, assistant("Ah, that."), user("Yes.")], assistant("Good."))


def goes_back_to_an_early_message(talk):
    sent = talk.turns(6)
    talk.send([*sent[:2], user("Let us start over from here.")], assistant("All right."))


def first_message_is_edited(talk):
    sent = talk.turns(6)
    talk.send([user("Another beginning."), *sent[1:], user("And on.")], assistant("On it."))


def request_is_retried(talk):
    sent = talk.turns(5)
    for _ in range(3):
        talk.send(sent[:-1], sent[-1])
    talk.say("Thank you.")


def answer_is_regenerated(talk):
    sent = talk.turns(5)
    talk.send(sent[:-1], assistant("Another answer."))
    talk.send([*sent[:-1], assistant("Another answer."), user("Better.")], assistant("Glad."))


def call_fails_and_is_made_again(talk):
    sent = talk.turns(4)
    talk.send([*sent, user("Go on.")], error="529 overloaded_error: Overloaded")
    talk.send([*sent, user("Go on."), user("Hello?")], assistant("Here I am."))


def two_branches_go_on_in_turn(talk):
    sent = list(talk.turns(4))
    left, right = [*sent, user("Left.")], [*sent, user("Right.")]
    for number in range(4):
        for branch in (left, right):
            answer = assistant(f"Answer {number} to {words(branch[8:9])}.")
            talk.send(branch, answer)
            branch += [answer, user(f"More {number} of {words(branch[8:9])}.")]


def subagent_on_the_same_id(talk):
    sent = talk.turns(6)
    theirs = [user("Find the file.")]
    for number in range(4):
        answer = assistant(f"Step {number}.")
        talk.send(theirs, answer, system="You are a searcher.")
        theirs += [answer, user(f"Then {number}.")]
        talk.say(f"Meanwhile {number}.")
    assert sent is talk.messages


def subagent_that_is_told_the_beginning(talk):
    sent = talk.turns(6)
    talk.send([sent[0], user("Find the file.")], assistant("Found."), system="You are a searcher.")
    talk.say("Go on.")


def title_is_made_of_the_first_question(talk):
    talk.turns(3)
    talk.send([user("Question 0 about matter.")], assistant("Matters"), system="Write a title of at most five words.")
    talk.say("Go on.")


def title_is_made_without_a_system_prompt(talk):
    talk.turns(3)
    talk.send([user("Write a title for this conversation: Question 0 about matter.")], assistant("Matters"), system="")
    talk.say("Go on.")


def last_messages_are_classified(talk):
    sent = talk.turns(6)
    talk.send([*sent[-3:], user("Is this harmful? Say yes or no.")], assistant("no"), system="You are a judge.")
    talk.say("Go on.")


def last_answer_is_judged(talk):
    sent = talk.turns(6)
    said = sent[-1].blocks[0].text
    talk.send([user(f"Is this answer polite?\n{said}")], assistant("Yes, it is polite."), system="")
    talk.say("Go on.")


def conversation_is_titled_at_its_end(talk):
    sent = talk.turns(6)
    talk.send([*sent, user("Give this conversation a title.")], assistant("Matters"))
    talk.say("Go on.")


def transcript_is_summed_up_aside_and_nothing_comes_of_it(talk):
    sent = talk.turns(6)
    text = "\n".join(words(sent))
    talk.send([user(f"Summarize the conversation so far:\n{text}")], assistant("They ask about matters of all kinds."))
    talk.say("Go on.")


def tokens_are_counted(talk):
    sent = talk.turns(4)
    talk.send([*sent[-2:], user("How long is this?")], endpoint="count_tokens")
    talk.say("Go on.")


def system_prompt_changes(talk):
    talk.turns(3)
    for number in range(3):
        talk.say(f"Go on {number}.", system=f"You are helpful. It is day {number}.")


def tool_loop(talk):
    talk.messages.append(user("Read all files."))
    for number in range(8):
        asked = calls("read", f"t{number}")
        talk.send(talk.messages, asked)
        talk.messages += [asked, result(f"content of file {number}", f"t{number}")]
    talk.send(talk.messages, assistant("All read."))


def results_are_reordered(talk):
    asked = calls("read", "t1", "t2", "t3")
    begin = [user("Read three files."), asked]
    several = [result("one", "t1"), result("two", "t2"), result("three", "t3")]
    talk.send(begin[:1], asked)
    talk.send([*begin, *several], assistant("Read."))
    talk.send([*begin, *several[::-1], assistant("Read."), user("And?")], assistant("Nothing."))
    talk.send([*begin, results(t2="two", t1="one", t3="three"), assistant("Read."), user("And?")], assistant("None."))


def images_are_encoded_anew(talk):
    for size in (100, 250, 90):
        seen = Spoken(Role.USER, [Text("Look at this."), Image("image/png", size)])
        talk.send([seen, *talk.messages], assistant(f"I look {size}."))
        talk.messages += [assistant(f"I look {size}."), user(f"Look again {size}.")]


def answers_are_trimmed_and_thinking_is_left_out(talk):
    sent = [user("Question.")]
    for number in range(4):
        answer = Spoken(Role.ASSISTANT, [Thinking("Let me think."), Text(f"Answer {number}.  \n")])
        talk.send(sent, answer)
        sent += [assistant(f"Answer {number}."), user(f"Next {number}.")]


def user_messages_are_merged(talk):
    first, second = user("First I want this."), user("Then I want that.")
    talk.send([first, second], assistant("Both."))
    talk.send([user("First I want this.", "Then I want that."), assistant("Both."), user("Now.")], assistant("Now."))


def user_messages_are_merged_into_one_text(talk):
    sent = [user("First I want this."), user("Then I want\n\nthat."), user("Really.")]
    talk.send(sent, assistant("Both."))
    merged = [user("First I want this.\n\nThen I want\n\nthat.\n\nReally."), assistant("Both."), user("Now.")]
    talk.send(merged, assistant("Yes."))
    talk.send([*merged, assistant("Yes."), user("Good.")], assistant("Bye."))


def answers_begin_as_the_client_wants(talk):
    talk.turns(3)
    for number in range(3):
        talk.messages.append(user(f"As JSON {number}."))
        talk.send([*talk.messages, assistant("{")], assistant(f'"number": {number}}}'))
        talk.messages.append(assistant(f'{{"number": {number}}}'))
    talk.say("Thank you.")


def inputs_of_calls_are_cleared(talk):
    talk.messages.append(user("Write all files."))
    for number in range(6):
        asked = calls("write", f"t{number}", text="a long text")
        talk.send(talk.messages, asked)
        talk.messages += [calls("write", f"t{number}"), result("written", f"t{number}")]


def a_reminder_stands_last_for_one_request(talk):
    for number in range(6):
        talk.messages.append(user(f"Question {number}."))
        talk.send(
            [*talk.messages, user(f"<reminder>It is {number} o'clock.</reminder>")], assistant(f"Answer {number}.")
        )
        talk.messages.append(assistant(f"Answer {number}."))


def a_reminder_stands_in_the_last_message(talk):
    for number in range(6):
        asked = user(f"Question {number}.", f"<reminder>It is {number} o'clock.</reminder>")
        talk.send([*talk.messages, asked], assistant(f"Answer {number}."))
        talk.messages += [user(f"Question {number}."), assistant(f"Answer {number}.")]


def the_first_message_holds_the_time(talk):
    for number in range(6):
        talk.messages.append(user(f"Question {number}."))
        talk.send([user(f"Context: it is {number} o'clock."), *talk.messages], assistant(f"Answer {number}."))
        talk.messages.append(assistant(f"Answer {number}."))


def exchanges_come_out_of_order(talk):
    exchanges, sent = [], []
    for number in range(6):
        sent = [*sent, user(f"Question {number}.")]
        exchanges.append(talk.exchange(sent, assistant(f"Answer {number}.")))
        sent = [*sent, assistant(f"Answer {number}.")]
    for number in (1, 0, 3, 4, 2, 5):
        talk.take(exchanges[number])


def exchanges_come_last_first(talk):
    exchanges, sent = [], []
    for number in range(5):
        sent = [*sent, user(f"Question {number}.")]
        exchanges.append(talk.exchange(sent, assistant(f"Answer {number}.")))
        sent = [*sent, assistant(f"Answer {number}.")]
    for exchange in reversed(exchanges):
        talk.take(exchange)


def every_exchange_comes_twice(talk):
    sent = []
    for number in range(4):
        sent = [*sent, user(f"Question {number}.")]
        exchange = talk.exchange(sent, assistant(f"Answer {number}."))
        talk.take(exchange)
        assert not talk.take(exchange).is_new
        sent = [*sent, assistant(f"Answer {number}.")]


def the_same_is_said_again_and_again(talk):
    for _ in range(10):
        talk.say("continue", assistant("Done."))


def a_message_is_slipped_in(talk):
    sent = talk.turns(4)
    sent.insert(0, user("Here is what I know of you."))
    talk.say("Go on.")


def the_model_is_asked_with_the_thread_held_by_the_server(talk):
    talk.send([user("Question.")], assistant("Answer."), whole=False)
    talk.send([user("Next.")], assistant("Next answer."), whole=False, previous="r1")
    talk.send([user("Last.")], assistant("Last answer."), whole=False, previous="r2")


CASES = [each for name, each in list(globals().items()) if callable(each) and each.__module__ == __name__]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("system", ["", "You are helpful."])
def test_no_compaction_is_told(case, system):
    talk = Talk(system)

    case(talk)

    assert talk.compactions() == []
    assert talk.events(RequestEvent)


#: Cases in which nothing is said twice, by how many messages were said.
COUNTS = {
    grows: 16,
    request_is_retried: 12,
    tokens_are_counted: 10,
    system_prompt_changes: 15,
    tool_loop: 18,
    inputs_of_calls_are_cleared: 12,
    results_are_reordered: 9,
    images_are_encoded_anew: 6,
    answers_are_trimmed_and_thinking_is_left_out: 8,
    user_messages_are_merged: 5,
    user_messages_are_merged_into_one_text: 8,
    exchanges_come_out_of_order: 12,
    exchanges_come_last_first: 10,
    every_exchange_comes_twice: 8,
    the_same_is_said_again_and_again: 20,
    a_message_is_slipped_in: 11,
    the_model_is_asked_with_the_thread_held_by_the_server: 6,
    call_fails_and_is_made_again: 11,
}


@pytest.mark.parametrize(("case", "count"), COUNTS.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_every_message_is_told_once(case, count):
    talk = Talk()

    case(talk)

    assert len(talk.events(MessageEvent)) == count
    told = [event.id for event in talk.order if isinstance(event, MessageEvent)]
    assert len(told) == len(set(told))


THREADS = [
    (subagent_on_the_same_id, 1),
    (subagent_that_is_told_the_beginning, 1),
    (title_is_made_of_the_first_question, 1),
    (last_messages_are_classified, 1),
    (two_branches_go_on_in_turn, 0),
    (system_prompt_changes, 0),
]


@pytest.mark.parametrize(("case", "threads"), THREADS)
def test_what_others_are_asked_is_a_conversation_below(case, threads):
    talk = Talk("You are helpful.")

    case(talk)

    below = talk.conversations() - {"c"}
    assert len(below) == threads
    assert all(name.startswith("c/") for name in below)


def test_order_is_the_same_whichever_comes_first():
    in_order, mixed = Talk(), Talk()
    exchanges, sent = [], []
    for number in range(6):
        sent = [*sent, user(f"Question {number}.")]
        exchanges.append(in_order.exchange(sent, assistant(f"Answer {number}.")))
        sent = [*sent, assistant(f"Answer {number}.")]
    for exchange in exchanges:
        in_order.take(exchange)
    for number in (2, 0, 1, 5, 3, 4):
        mixed.take(exchanges[number])

    assert mixed.texts() == in_order.texts()
    requests = [(each.id, each.sequence) for each in mixed.events(RequestEvent)]
    assert requests == [(each.id, each.sequence) for each in in_order.events(RequestEvent)]


def test_a_merged_message_keeps_both_keys_when_it_is_dropped():
    talk = Talk()
    first, second = user("First I want this."), user("Then I want that.")
    talk.send([first, second], assistant("Both."))
    merged = user("First I want this.\nThen I want that.")
    sent = [merged, assistant("Both."), user("One."), assistant("Two."), user("Three."), assistant("Four.")]
    talk.send(sent[:3], assistant("Two."))
    talk.send(sent[:5], assistant("Four."))
    talk.send([*sent[2:], user("Five.")], assistant("Six."))

    assert talk.dropped() == ["First I want this.", "Then I want that.", "Both."]


def test_answer_in_other_blocks_is_the_same():
    talk = Talk()
    talk.send([user("Read it.")], Spoken(Role.ASSISTANT, [Text("I read."), ToolCall("read", "t1", {"b": 1, "a": 2})]))
    again = Spoken(Role.ASSISTANT, [Text(" I read. "), ToolCall("read", "t1", {"a": 2, "b": 1})])
    talk.send([user("Read it."), again, Spoken(Role.TOOL, [ToolResult("text", "t1")])], assistant("Read."))

    assert len(talk.events(MessageEvent)) == 4
