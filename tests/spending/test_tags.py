import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.ingest import services
from conversations.models import Conversation, ConversationDay, ConversationSlot, SpendingVersion, TagDay, TagSlot
from conversations.spending.services import recount
from conversations.spending.tagging import TooManyTags, known_tags, set_tags
from conversations.spending.tally import COUNTED
from conversations.tags import MOST_TAGS, merged, tag_of, tags_said
from tests.spending.test_counting import AT


def told(*tags, conversation="c"):
    return {"type": "conversation", "conversation": conversation, "tags": list(tags)}


def turn(number, tokens, conversation="c"):
    return {
        "type": "request", "id": f"r{number}", "conversation": conversation, "sequence": number, "model": "m",
        "at": (AT + timedelta(hours=number)).isoformat(), "usage": {"input_tokens": tokens, "output_tokens": 1},
    }  # fmt: skip


@pytest.fixture
def send(acme):
    def send_events(*events):
        receipt = services.accept_events(workspace=acme, body=json.dumps({"events": events}).encode(), claimed=True)
        services.digest_claimed([receipt.batch])

    return send_events


def spent(table=TagDay):
    found = {}
    for row in table.objects.all():
        found[row.tag] = found.get(row.tag, 0) + row.input_tokens
    return {tag: tokens for tag, tokens in found.items() if tokens}


def by_the_conversations(own):
    """What the sums of tags have to be: those of the conversations that have the tag."""
    found = {}
    for row in own.objects.select_related("conversation"):
        for tag in row.conversation.tags:
            key = (tag, row.model, getattr(row, "day", None) or row.start)
            mine = found.setdefault(key, dict.fromkeys(COUNTED, 0))
            for name in COUNTED:
                mine[name] += getattr(row, name)
    return {key: sums for key, sums in found.items() if any(sums.values())}


def kept(table):
    found = {
        (row.tag, row.model, getattr(row, "day", None) or row.start): {name: getattr(row, name) for name in COUNTED}
        for row in table.objects.all()
    }
    return {key: sums for key, sums in found.items() if any(sums.values())}


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("web", "web"), ("  Team   Web ", "team web"), ("ÄRGER", "ärger"), ("a,b", ""), ("", ""), (" ", ""),
        ("x" * 60, "x" * 60), ("x" * 61, ""), ("a\0b", ""), ("a\u200bb", ""), (7, ""), (None, ""),
    ],
)  # fmt: skip
def test_a_tag_is_written_in_one_way(written, tag):
    assert tag_of(written) == tag


@pytest.mark.parametrize(
    ("value", "tags"),
    [(["b", "A", "a"], ["a", "b"]), ("b, a,,", ["a", "b"]), ({"a": 1}, []), (None, []), ([1, "a"], ["a"])],
)
def test_tags_are_read_of_a_list_or_a_line(value, tags):
    assert tags_said(value) == tags


def test_no_more_tags_are_put_on_than_a_conversation_has_room_for():
    known = [f"k{n}" for n in range(MOST_TAGS - 1)]
    assert set(merged(known, ["x", "y"])) == {*known, "x"}
    assert merged(["a"], ["b", "c"], ["b"]) == ["a", "c"]


def test_what_a_tagged_conversation_spends_is_spent_under_its_tags(send):
    send(told("web", "Nightly"), turn(1, 100))
    send(turn(2, 20), turn(3, 3, "untagged"))

    assert Conversation.objects.get(external_id="c").tags == ["nightly", "web"]
    assert spent() == spent(TagSlot) == {"nightly": 120, "web": 120}


def test_a_tag_that_comes_later_counts_what_was_spent_before(send):
    send(turn(1, 100))
    send(told("web"))
    assert spent() == {"web": 100}

    send(told("web"), told("night"))  # told again it changes nothing
    assert spent() == spent(TagSlot) == {"web": 100, "night": 100}


def test_a_tag_that_a_person_takes_off_stays_off(send):
    send(told("web", "night"), turn(1, 100))
    conversation = Conversation.objects.get()
    version = SpendingVersion.objects.get().counted

    assert set_tags(conversation, ["Night", "slow"]) == (["slow"], ["web"])
    send(told("web"), turn(2, 20))

    assert Conversation.objects.get().tags == ["night", "slow"]
    assert spent() == {"night": 120, "slow": 120}
    assert SpendingVersion.objects.get().counted > version

    set_tags(conversation, ["web"])  # a person may put it on again
    assert (Conversation.objects.get().tags, Conversation.objects.get().tags_taken_off) == (["web"], ["night", "slow"])


def test_too_many_tags_are_refused(send):
    send(turn(1, 100))
    with pytest.raises(TooManyTags):
        set_tags(Conversation.objects.get(), [f"t{n}" for n in range(MOST_TAGS + 1)])


def test_tags_are_offered_once(acme, send):
    send(told("web"), turn(1, 100), told("web", "a", conversation="d"), turn(30, 100, "d"))
    assert known_tags(acme) == ["a", "web"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.integers(1, 30), st.sampled_from("cd")),
        st.tuples(st.just("tags"), st.sets(st.sampled_from(["x", "y"])), st.sampled_from("cd")),
        st.tuples(st.just("set"), st.sets(st.sampled_from(["x", "y"])), st.sampled_from("cd")),
    ),
    max_size=8,
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps)
def test_sums_of_tags_are_those_of_their_conversations(send, acme, order):
    """Late turns, which make a conversation be counted anew, and tags in any order."""
    Conversation.objects.all().delete()
    TagDay.objects.all().delete()
    TagSlot.objects.all().delete()
    for kind, value, name in order:
        if kind == "turn":
            send(turn(value, value, name))
        elif kind == "tags":
            send(told(*value, conversation=name))
        elif conversation := Conversation.objects.filter(external_id=name).first():
            set_tags(conversation, sorted(value))

    assert kept(TagDay) == by_the_conversations(ConversationDay)
    assert kept(TagSlot) == by_the_conversations(ConversationSlot)
    before = kept(TagDay)
    recount(acme)
    assert kept(TagDay) == before
