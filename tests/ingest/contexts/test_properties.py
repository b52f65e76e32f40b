"""What holds for every conversation, whatever is said in it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.contexts.talking import (
    MessageEvent,
    RequestEvent,
    Spoken,
    Talk,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    user,
    words,
)

texts = st.text("ab \n", min_size=1, max_size=6).map(lambda text: f"{text.strip()}.")


@st.composite
def turns(draw, least=1, most=12):
    """Turns of a client that keeps everything: what is added before each request, and the answer to it."""
    count = draw(st.integers(least, most))
    made = []
    asked = []
    for number in range(count):
        added = [Spoken("tool", [ToolResult(draw(texts), call) for call in asked])] if asked else []
        if not asked or draw(st.booleans()):
            added += [user(draw(texts)) for _ in range(draw(st.integers(1, 2)))]
        asked = [f"t{number}.{each}" for each in range(draw(st.integers(0, 2)))]
        said = [Text(draw(texts))] if not asked or draw(st.booleans()) else []
        made.append((added, Spoken("assistant", [*said, *(ToolCall("read", call, {}) for call in asked)])))
    return made


def exchanges_of(talk, made):
    exchanges, sent = [], []
    for added, answer in made:
        sent = [*sent, *added]
        exchanges.append(talk.exchange(sent, answer))
        sent = [*sent, answer]
    return exchanges, sent


@given(turns())
def test_a_conversation_that_only_grows_is_told_once_and_never_compacted(made):
    talk = Talk("You are helpful.")
    exchanges, sent = exchanges_of(talk, made)
    for exchange in exchanges:
        talk.take(exchange)

    assert talk.compactions() == []
    assert talk.texts()[1:] == words(sent)
    assert len(talk.events(RequestEvent)) == len(made)
    assert len(talk.order) == 2 + len(sent) + len(made)  # and the title and the system prompt


@given(turns())
def test_every_exchange_twice_changes_nothing(made):
    once, twice = Talk(), Talk()
    exchanges, _ = exchanges_of(once, made)
    for exchange in exchanges:
        once.take(exchange)
        twice.take(exchange)
        twice.take(exchange)
    for exchange in exchanges:
        twice.take(exchange)

    assert twice.told == once.told
    assert twice.known.heads == once.known.heads


@given(turns(), st.randoms(use_true_random=False))
def test_any_order_ends_in_the_same_messages_and_requests(made, random):
    in_order, mixed = Talk(), Talk()
    exchanges, sent = exchanges_of(in_order, made)
    for exchange in exchanges:
        in_order.take(exchange)
    random.shuffle(exchanges)
    for exchange in exchanges:
        mixed.take(exchange)

    assert mixed.compactions() == []
    assert {each.id for each in mixed.events(MessageEvent)} >= {each.id for each in in_order.events(MessageEvent)}
    requests = [(each.id, each.sequence) for each in in_order.events(RequestEvent)]
    assert [(each.id, each.sequence) for each in mixed.events(RequestEvent)] == requests
    assert mixed.texts()[: len(sent)] == words(sent)[: len(mixed.texts())]


unique = st.integers(3, 14).map(lambda count: [f"Number {each}." for each in range(2 * count)])


def told_in_turns(talk, said):
    history = []
    for question, reply in zip(said[::2], said[1::2], strict=True):
        history.append(user(question))
        talk.send(history, assistant(reply))
        history.append(assistant(reply))
    return history


@given(unique, st.data())
def test_a_cut_drops_exactly_what_it_cut(said, data):
    talk = Talk()
    history = told_in_turns(talk, said)
    cut = data.draw(st.integers(1, len(history) - 2))

    talk.send([*history[cut:], user("Go on.")], assistant("Yes."))

    [compaction] = talk.compactions()
    assert compaction.kind == "truncation"
    assert talk.dropped() == said[:cut]


@given(unique, st.data())
def test_a_cut_from_the_middle_drops_exactly_what_it_cut(said, data):
    talk = Talk()
    history = told_in_turns(talk, said)
    start = data.draw(st.integers(1, len(history) - 3))
    stop = data.draw(st.integers(start + 1, len(history) - 1))

    talk.send([*history[:start], *history[stop:], user("Go on.")], assistant("Yes."))

    assert len(talk.compactions()) == 1
    assert talk.dropped() == said[start:stop]


@given(unique, st.data())
def test_a_summary_replaces_exactly_what_it_stands_for(said, data):
    talk = Talk()
    history = told_in_turns(talk, said)
    pinned = data.draw(st.integers(0, len(history) - 4))
    stop = data.draw(st.integers(pinned + 2, len(history) - 1))

    talk.send([*history[:pinned], user("In short."), *history[stop:], user("Go on.")], assistant("Yes."))

    [compaction] = talk.compactions()
    assert compaction.kind == "client"
    assert talk.dropped() == said[pinned:stop]
    assert talk.texts(compaction.kept) == [*said[:pinned], *said[stop:]]
    assert talk.texts([compaction.summary_message]) == ["In short."]


@given(unique, st.data())
def test_who_goes_back_and_says_something_else_loses_nothing(said, data):
    talk = Talk()
    history = told_in_turns(talk, said)
    back = 2 * data.draw(st.integers(0, len(said) // 2 - 1))

    talk.send([*history[:back], user("Something else.")], assistant("Ah."))
    talk.send([*history, user("And here.")], assistant("Oh."))

    assert talk.compactions() == []


@settings(max_examples=30)
@given(st.integers(2, 12), st.integers(5, 40))
def test_a_window_that_slides_drops_everything_once(window, count):
    talk = Talk()
    history = []
    for number in range(count):
        history.append(user(f"Question {number}."))
        talk.send(history[-window:], assistant(f"Answer {number}."))
        history.append(assistant(f"Answer {number}."))

    dropped = [key for compaction in talk.compactions() for key in compaction.dropped]
    left = max(0, len(history) - 1 - window)
    assert talk.texts(dropped) == words(history)[:left]
    assert len(dropped) == len(set(dropped))
    assert talk.texts() == words(history)
