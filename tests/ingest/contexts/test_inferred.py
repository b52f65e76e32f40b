"""Compactions that nobody announces: found by what left the context and what came in instead, with exactly that."""

import pytest

from tests.ingest.contexts.talking import (
    Call,
    CompactionKind,
    MessageEvent,
    RequestEvent,
    Role,
    Spoken,
    Summary,
    SummaryState,
    Talk,
    Text,
    ToolCall,
    assistant,
    calls,
    result,
    results,
    usage,
    user,
    words,
)

LANGCHAIN = "Here is a summary of the conversation to date:\n\nThey asked about eight matters."
GEMINI = "<state_snapshot>\n  <overall_goal>Eight matters.</overall_goal>\n</state_snapshot>"
CLAUDE_CODE = (
    "This session is being continued from a previous conversation that ran out of context. The summary below covers the"
    " earlier portion of the conversation.\n\nSummary:\n1. Primary Request and Intent: eight matters.\n\nContinue the"
    " conversation from where it left off without asking the user any further questions."
)
HOME_MADE = "Eight matters were asked about and every one of them was answered at length and with patience."


def only(talk):
    [compaction] = talk.compactions()
    return compaction


def summary_text(talk, compaction):
    [message] = [each for each in talk.events(MessageEvent) if each.id == compaction.summary_message]
    [block] = [block for block in message.blocks() if isinstance(block, Summary)]
    assert message.origin == "summary"
    return block


# --- cut --------------------------------------------------------------------------------------------------------------


def test_a_cut_is_a_truncation_with_exactly_what_it_cut():
    talk = Talk("You are helpful.")
    sent = list(talk.turns(10))

    talk.send([*sent[-7:], user("Go on.")], assistant("Yes."))

    compaction = only(talk)
    assert compaction.kind is CompactionKind.TRUNCATION
    assert talk.dropped() == words(sent[:-7])
    assert compaction.summary_message == ""
    assert compaction.raw["confidence"] >= 0.9


def test_first_messages_may_be_pinned():
    talk = Talk()
    sent = list(talk.turns(10))

    talk.send([sent[0], *sent[-6:], user("Go on.")], assistant("Yes."))

    assert talk.dropped() == words(sent[1:-6])
    assert only(talk).kind is CompactionKind.TRUNCATION


def test_a_note_that_messages_are_missing_is_no_summary():
    talk = Talk()
    sent = list(talk.turns(10))

    talk.send([user("[Earlier messages were removed to save space.]"), *sent[-6:], user("Go on.")], assistant("Yes."))

    assert only(talk).kind is CompactionKind.TRUNCATION
    assert talk.dropped() == words(sent[:-6])


def test_a_window_that_slides_is_one_compaction_that_grows():
    talk = Talk()
    history = []
    for number in range(14):
        history.append(user(f"Question {number}."))
        talk.send(history[-10:], assistant(f"Answer {number}."))
        history.append(assistant(f"Answer {number}."))

    compaction = only(talk)
    assert talk.dropped() == words(history[: len(history) - 11])
    assert compaction.raw["losses"] == 9
    assert compaction.sequence > talk.events(MessageEvent)[-4].sequence


def test_a_cut_stays_where_it_was_when_a_window_slides_after_it():
    talk = Talk()
    history = list(talk.turns(20))
    for number in range(5):
        history.append(user(f"Go on {number}."))
        talk.send(history[-10:], assistant(f"Answer {number}."))
        history.append(assistant(f"Answer {number}."))

    cut, slide = talk.compactions()
    assert [len(cut.dropped), len(slide.dropped)] == [31, 8]
    assert cut.sequence < talk.events(MessageEvent)[-9].sequence < slide.sequence
    assert "losses" not in cut.raw


def test_a_window_that_slides_for_long_is_told_in_chapters():
    talk = Talk()
    history = []
    for number in range(200):
        history.append(user(f"Question {number}."))
        talk.send(history[-10:], assistant(f"Answer {number}."))
        history.append(assistant(f"Answer {number}."))

    chapters = talk.compactions()
    dropped = [key for chapter in chapters for key in chapter.dropped]
    assert len(dropped) == len(set(dropped)) == len(history) - 11
    assert talk.texts(dropped) == words(history[:-11])
    assert len(chapters) == 8


def test_cuts_far_apart_are_told_apart():
    talk = Talk()
    talk.turns(8)
    for _ in range(2):
        del talk.messages[:-4]
        for number in range(8):
            talk.say(f"Then {number}.")

    assert [len(each.dropped) for each in talk.compactions()] == [12, 16]


def test_a_repeated_word_is_placed_by_what_stands_beside_it():
    talk = Talk()
    for number in range(8):
        talk.say("continue", assistant(f"Step {number}."))
    sent = list(talk.messages)

    talk.send([*sent[-5:], user("continue")], assistant("The end."))

    assert only(talk).dropped == [event.id for event in talk.events(MessageEvent)[: len(sent) - 5]]


def test_question_put_aside_is_no_compaction_once_the_whole_context_comes_again():
    talk = Talk()
    sent = list(talk.turns(6))
    talk.send([*sent[-3:], user("Is this harmful? Say yes or no.")], assistant("no"))
    assert only(talk).kind is CompactionKind.TRUNCATION

    talk.say("Go on.")
    talk.say("And on.")

    compaction = only(talk)
    assert (compaction.summary_state, compaction.dropped) == (SummaryState.FAILED, [])
    assert compaction.error


# --- summed up --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [2, 5, 8])
@pytest.mark.parametrize("text", [LANGCHAIN, CLAUDE_CODE, HOME_MADE, f"<summary>\n{HOME_MADE}\n</summary>", GEMINI])
def test_one_message_in_place_of_many_is_a_summary(text, tail):
    talk = Talk("You are helpful.")
    sent = list(talk.turns(8))

    talk.send([user(text), *sent[-tail:], user("Go on.")], assistant("Yes."))

    compaction = only(talk)
    assert compaction.kind is CompactionKind.CLIENT
    assert talk.dropped() == words(sent[:-tail])
    assert talk.texts(compaction.kept) == words(sent[-tail:])
    block = summary_text(talk, compaction)
    assert block.prefix + block.text + block.suffix == text
    assert compaction.raw["confidence"] == (0.8 if text == HOME_MADE else 0.95)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (LANGCHAIN, "They asked about eight matters."),
        (CLAUDE_CODE, "1. Primary Request and Intent: eight matters."),
        (f"<summary>\n{HOME_MADE}\n</summary>", HOME_MADE),
        (GEMINI, "<overall_goal>Eight matters.</overall_goal>"),
        (f"Summary of the conversation so far: {HOME_MADE}", HOME_MADE),
    ],
)
def test_the_wrapping_stands_apart_from_the_summary(text, summary):
    talk = Talk()
    sent = list(talk.turns(8))

    talk.send([user(text), *sent[-3:], user("Go on.")], assistant("Yes."))

    assert summary_text(talk, only(talk)).text == summary


@pytest.mark.parametrize("text", [LANGCHAIN, CLAUDE_CODE, GEMINI, f"<summary>{HOME_MADE}</summary>"])
def test_nothing_may_stay_but_the_summary(text):
    talk = Talk("You are helpful.")
    sent = list(talk.turns(8))

    talk.send([user(text), user("Go on.")], assistant("Yes."))

    assert talk.dropped() == words(sent)
    assert talk.conversations() == {"c"}


def test_summary_and_an_acknowledgement():
    talk = Talk()
    sent = list(talk.turns(8))

    ack = assistant("Got it. Thanks for the additional context!")
    talk.send([user(GEMINI), ack, *sent[-4:], user("Go on.")], assistant("Yes."))

    assert talk.dropped() == words(sent[:-4])
    assert "Eight matters" in summary_text(talk, only(talk)).text
    assert "Got it. Thanks for the additional context!" in talk.texts()


def test_summary_after_pinned_messages():
    """As OpenHands keeps the first events."""
    talk = Talk()
    sent = list(talk.turns(8))

    talk.send([*sent[:2], user(HOME_MADE), *sent[-4:], user("Go on.")], assistant("Yes."))

    assert talk.dropped() == words(sent[2:-4])
    assert summary_text(talk, only(talk)).text == HOME_MADE


def test_summary_of_everything_after_pinned_messages():
    talk = Talk()
    sent = list(talk.turns(8))

    talk.send([*sent[:1], user(LANGCHAIN), user("Go on.")], assistant("Yes."))

    assert talk.dropped() == words(sent[1:])


def test_the_second_summary_replaces_the_first():
    talk = Talk()
    talk.turns(8)
    talk.messages = [user(LANGCHAIN), *talk.messages[-3:]]
    talk.turns(5, "other")
    before = list(talk.messages)
    talk.messages = [user(LANGCHAIN + " And five others."), *before[-3:]]
    talk.say("Go on.")

    first, second = talk.compactions()
    assert first.summary_message in second.dropped
    assert talk.dropped(1)[0] == "They asked about eight matters."
    assert len(talk.dropped(1)) == len(before) - 3


def test_call_that_wrote_the_summary_is_its_cost():
    """The history with an instruction at its end, as the SDK's own helper did it."""
    talk = Talk("You are helpful.")
    sent = list(talk.turns(6))
    order = user("Summarize all of this for somebody who goes on with it.")
    talk.send([*sent, order], assistant(HOME_MADE), calls=[talk_call(9000, 700)])

    talk.send([user(f"What was before:\n{HOME_MADE}"), user("Go on.")], assistant("Yes."))

    compaction = only(talk)
    assert talk.dropped()[: len(sent)] == words(sent)
    assert (compaction.cost.input_tokens, compaction.cost.output_tokens) == (9000, 700)
    assert compaction.raw["confidence"] == 0.98
    assert [each.purpose for each in talk.events(RequestEvent)] == ["turn"] * 6 + ["compaction", "turn"]


def test_call_aside_that_wrote_the_summary_is_its_cost():
    """As LangChain does it: the history as text in a prompt of its own."""
    talk = Talk("You are helpful.")
    sent = list(talk.turns(6))
    prompt = "Extract the most important context.\n<messages>\n" + "\n".join(words(sent)) + "\n</messages>\nSummary:"
    talk.send([user(prompt)], assistant(HOME_MADE), calls=[talk_call(4000, 300)], system="")

    talk.send([user(f"{LANGCHAIN[:48]}{HOME_MADE}"), *sent[-2:], user("Go on.")], assistant("Yes."))

    compaction = only(talk)
    assert talk.dropped() == words(sent[:-2])
    assert compaction.cost.output_tokens == 300


def test_summary_may_stand_in_the_system_prompt():
    """As LangGraph's guide does it: everything but the last two messages becomes a sentence of the prompt."""
    talk = Talk("You are helpful.")
    sent = list(talk.turns(6))

    system = f"You are helpful.\n\nSummary of the conversation earlier: {HOME_MADE}"
    talk.send([*sent[-2:], user("Go on.")], assistant("Yes."), system=system)

    compaction = only(talk)
    assert compaction.kind is CompactionKind.CLIENT
    assert talk.dropped() == words(sent[:-2])
    assert HOME_MADE in summary_text(talk, compaction).text
    assert talk.conversations() == {"c"}


def talk_call(read, wrote):
    return Call(usage=usage(read, wrote))


# --- blanked ----------------------------------------------------------------------------------------------------------


def tools(talk, count):
    talk.messages.append(user("Read all files."))
    for number in range(count):
        asked = calls("read", f"t{number}")
        talk.send(talk.messages, asked)
        talk.messages += [asked, result(f"The content of file {number}, which is long.", f"t{number}")]
    return talk.messages


def test_blanked_results_are_a_clearing():
    talk = Talk()
    sent = tools(talk, 6)
    for number in range(4):
        sent[2 + 2 * number] = result("[cleared]", f"t{number}")

    talk.send(sent, assistant("All read."))

    compaction = only(talk)
    assert compaction.kind is CompactionKind.MICROCOMPACT
    assert compaction.cleared == ["t0", "t1", "t2", "t3"]
    assert talk.texts().count("[cleared]") == 0


def test_results_blanked_with_every_request_are_one_compaction():
    talk = Talk()
    talk.messages.append(user("Read all files."))
    for number in range(12):
        asked = calls("read", f"t{number}")
        talk.send(talk.messages, asked)
        talk.messages += [asked, result(f"The content of file {number}, which is long.", f"t{number}")]
        if number >= 3:
            talk.messages[2 * (number - 3) + 2] = result("[cleared]", f"t{number - 3}")
    talk.send(talk.messages, assistant("All read."))

    compaction = only(talk)
    assert compaction.cleared == [f"t{number}" for number in range(9)]


def test_result_that_says_more_was_edited():
    talk = Talk()
    sent = tools(talk, 3)
    sent[2] = result("The content of file 0, which is long, and then some more of it.", "t0")

    talk.send(sent, assistant("All read."))

    assert talk.compactions() == []


def test_calls_and_results_that_are_gone_are_a_truncation():
    """The oldest steps of a tool loop, each a call and its result."""
    talk = Talk()
    sent = tools(talk, 8)

    talk.send([sent[0], *sent[7:]], assistant("All read."))

    assert only(talk).kind is CompactionKind.TRUNCATION
    assert len(only(talk).dropped) == 6


def test_results_of_parallel_calls_are_one_message():
    talk = Talk()
    asked = calls("read", "t1", "t2")
    talk.send([user("Read.")], asked)
    talk.send([user("Read."), asked, results(t1="one is long", t2="two is long")], assistant("Read."))
    blanked = [user("Read."), asked, results(t1="-", t2="-"), assistant("Read."), user("And?")]
    talk.send(blanked, assistant("That is it."))

    assert only(talk).cleared == ["t1", "t2"]


def test_text_and_call_in_one_answer_go_together():
    talk = Talk()
    answer = Spoken(Role.ASSISTANT, [Text("I look."), ToolCall("read", "t1", {})])
    talk.send([user("Read.")], answer)
    sent = [user("Read."), answer, result("text", "t1")]
    talk.send(sent, assistant("Read."))
    talk.send([sent[0], sent[2], assistant("Read."), user("And?")], assistant("Well."))

    assert talk.dropped() == ["I look.+read"]
