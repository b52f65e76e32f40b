from conversations.ingest.contexts.known import MOST_HEADS, MOST_IDLE, MOST_SEEN, PAGE, pack, unpack
from tests.ingest.contexts.talking import CompactionEvent, Talk, assistant, user


def test_what_is_known_is_the_same_after_it_was_stored():
    talk = Talk("You are helpful.")
    talk.turns(40)
    talk.send([*talk.messages[:3], user("Back here.")], assistant("Yes."))

    again = unpack(*pack(talk.known))

    assert again == talk.known
    assert len(again.heads) == 2


def test_a_turn_changes_one_page():
    talk = Talk()
    talk.turns(40)
    _, before = pack(talk.known)
    talk.say("Go on.")
    _, after = pack(talk.known)

    changed = [place for place, body in after.items() if before.get(place) != body]
    assert changed == [(0, "held", 82 // PAGE)]


def test_state_is_small_however_long_the_conversation():
    talk = Talk()
    talk.turns(100)
    state, pages = pack(talk.known)

    assert len(state) < 2000
    assert max(map(len, pages.values())) < 2000
    assert len(talk.known.seen) == MOST_SEEN


def test_side_calls_do_not_push_the_conversation_out():
    talk = Talk("You are helpful.")
    talk.turns(3)
    for number in range(MOST_HEADS + MOST_IDLE + 5):
        talk.send([user(f"Classify text {number}.")], assistant("fine"), system="You classify.")
    talk.say("Go on.")

    assert len(talk.known.heads) <= MOST_HEADS
    assert "c" in {event.conversation for event in talk.order[-3:]}
    assert len(talk.texts()) == 1 + 8


def test_idle_heads_are_forgotten():
    talk = Talk("You are helpful.")
    talk.turns(2)
    talk.send([user("Classify this.")], assistant("fine"), system="You classify.")
    talk.turns(MOST_IDLE + 1, "more")

    assert [head.branch for head in talk.known.heads] == [""]


def test_a_forgotten_thread_that_goes_on_is_the_same_conversation():
    talk = Talk("You are helpful.")
    talk.turns(2)
    theirs = [user("Find the file."), assistant("Found.")]
    talk.send(theirs[:1], theirs[1], system="You search.")
    talk.turns(MOST_IDLE + 1, "more")
    talk.send([*theirs, user("Another.")], assistant("Found too."), system="You search.")

    [below] = talk.conversations() - {"c"}
    assert talk.texts(conversation=below) == ["You search.", "Find the file.", "Found.", "Another.", "Found too."]
    assert not talk.events(CompactionEvent, below)
