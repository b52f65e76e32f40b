"""What messages weigh is learnt from what requests were billed for."""

from hypothesis import given
from hypothesis import strategies as st

from conversations.ingest.events import Thinking, Usage
from conversations.ingest.exchange import Call, Spoken
from conversations.vocabulary import Role
from tests.ingest.contexts.talking import Talk, assistant, user

FRAME = 3000  # tokens of the system prompt and of tools, which no message has


def weight(message):
    return len(message.blocks[0].text) // 4


def sliding(sizes, window):
    """A client that sends its last `window` messages; returns the talk and the whole history."""
    talk, history = Talk(), []
    for number, (asked, answered) in enumerate(sizes):
        history.append(user(f"{number:04}" + "q" * asked))
        sent = history[-window:]
        read = FRAME + sum(map(weight, sent))
        answer = assistant(f"{number:04}" + "a" * answered)
        talk.send(sent, answer, calls=[Call(usage=Usage(input_tokens=read, output_tokens=weight(answer)))])
        history.append(answer)
    return talk, history


def freed(compactions):
    return sum(c.raw["freed_tokens"] + sum(tokens for _, tokens in c.raw.get("earlier", ())) for c in compactions)


def test_window_that_slides_says_what_each_loss_freed():
    talk, history = sliding([(800, 400)] * 20, window=10)

    [compaction] = talk.compactions()
    assert compaction.raw["losses"] == len(compaction.raw["earlier"]) + 1 == 15
    gone = sum(map(weight, history[: len(compaction.dropped)]))
    assert abs(freed([compaction]) - gone) < 0.01 * gone
    places = [place for place, _ in compaction.raw["earlier"]]
    assert places == sorted(set(places))
    assert places[-1] < compaction.sequence


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4000)), min_size=1, max_size=40), st.integers(3, 12))
def test_freed_is_what_the_dropped_messages_were_billed_for(sizes, window):
    talk, history = sliding(sizes, window)

    compactions = talk.compactions()
    gone = sum(weight(message) for message in history[: sum(len(each.dropped) for each in compactions)])
    unsure = max(map(weight, history)) + len(history)  # the answer that was never sent back, and what is rounded
    assert abs(freed(compactions) - gone) <= unsure


def test_thinking_that_was_billed_as_output_weighs_nothing_later():
    talk = Talk()
    question, answer = user("Is it safe?" * 40), assistant("Yes, it is." * 40)
    thought = Spoken(Role.ASSISTANT, [Thinking("Let me see." * 900), *answer.blocks])
    talk.send([question], thought, calls=[Call(usage=Usage(input_tokens=1110, output_tokens=2600))])
    talk.send([question, answer, user("Sure?")], calls=[Call(usage=Usage(input_tokens=1222, output_tokens=5))])

    asked, answered, last = talk.known.heads[0].held[:3]
    assert (asked.tokens, answered.tokens + last.tokens) == (110, 112)


def test_what_messages_cannot_weigh_frames_the_request():
    talk = Talk()
    first, answer = user("Hello there."), assistant("Hello.")
    talk.send([first], answer, calls=[Call(usage=Usage(input_tokens=500, output_tokens=5))])
    talk.send([first, answer, user("Tools now.")], calls=[Call(usage=Usage(input_tokens=9500, output_tokens=5))])

    head = talk.known.heads[0]
    assert head.frame > 9400
    assert sum(message.tokens for message in head.held[:3]) < 30


def test_nothing_is_weighed_where_nothing_was_billed():
    talk = Talk()
    talk.send([user("Hello.")], assistant("Hi."), calls=[Call()])

    assert [message.tokens for message in talk.known.heads[0].held] == [None, None]
