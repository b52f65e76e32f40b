"""The same conversation told by OpenTelemetry and by its exchanges."""

import json
from functools import partial

import pytest

from conversations.ingest import services
from conversations.ingest.formats.otlp_wire import Signal
from conversations.models import Batch, Compaction, Conversation, Message, Request
from tests.ingest import telling
from tests.ingest.telling import CONVERSATION, Model, OnDemand

TURNS = 18


def digest():
    services.digest_pending()


def accept(acme, body):
    return services.accept_telemetry(workspace=acme, body=body, signal=Signal.TRACES, is_json=False)


def take(acme, bodies):
    for body in bodies:
        accept(acme, body)
    digest()


def take_raw(acme, pairs):
    start = 1795355722
    items = [
        {"id": f"raw-{n}", "conversation": CONVERSATION, "at": start + 10 * n, **pair} for n, pair in enumerate(pairs)
    ]
    body = json.dumps({"exchanges": items}).encode()
    receipt = services.accept_exchange_bodies(workspace=acme, body=body)
    assert {result.status for result in receipt.results} == {"accepted"}
    digest()


def story(conversation):
    """What every way in must tell alike: messages, what each compaction dropped, what was used."""
    messages = Message.objects.filter(conversation=conversation).order_by("position")
    compactions = Compaction.objects.filter(conversation=conversation).order_by("position")
    dropped = [
        sorted(Message.objects.filter(dropped_by=compaction).values_list("external_id", flat=True))
        for compaction in compactions
    ]
    requests = Request.objects.filter(conversation=conversation).order_by("position")
    used = requests.values_list("purpose", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    return {
        "messages": [(m.external_id, m.role, m.origin, m.blocks) for m in messages],
        "compactions": [(c.kind, c.trigger, c.summary_state, c.trigger_tokens) for c in compactions],
        "dropped": dropped,
        "used": list(used),
    }


@pytest.fixture
def raw(acme):
    """The story as its exchanges tell it, and the model that told it."""
    model = Model()
    telling.exported(partial(telling.told_by_the_client, content_mode="metadata_only"), model, TURNS)
    take_raw(acme, model.pairs)
    return story(Conversation.objects.get(source="exchanges"))


@pytest.mark.django_db
def test_openinference_tells_the_same_story_as_exchanges(acme, raw):
    take(acme, telling.exported(telling.told_by_openinference, Model(), TURNS))

    told = Conversation.objects.get(source="otlp")
    assert told.external_id == CONVERSATION
    assert (told.agent.name, told.agent.version) == ("refunds", "3")
    assert len(raw["compactions"]) == 2
    assert story(told) == raw


def by_words(told):
    """The messages besides summaries, and which of them each compaction dropped. The key of a message says after which
    others it stands, a summary among them: where its text is not told, messages after it have other keys."""
    said = [message for message in told["messages"] if message[2] != "summary"]
    places = {message[0]: place for place, message in enumerate(said)}
    dropped = [sorted(places[key] for key in keys if key in places) for keys in told["dropped"]]
    return [message[1:] for message in said], dropped


@pytest.mark.django_db
def test_the_client_itself_tells_the_same_messages_and_compactions_without_summaries(acme, raw):
    take(acme, telling.exported(telling.told_by_the_client, Model(), TURNS))

    told = story(Conversation.objects.get(source="otlp"))
    assert by_words(told) == by_words(raw)
    assert [each[:3] for each in told["compactions"]] == [("threshold", "threshold", "absent")] * 2
    assert told["used"] == raw["used"]


@pytest.mark.django_db
def test_openllmetry_tells_the_same_story_and_twice_the_answers_whose_summary_it_left_out(acme, raw):
    take(acme, telling.exported(telling.told_by_openllmetry, Model(), TURNS))

    told = story(Conversation.objects.get(source="otlp"))
    known = {message[0] for message in raw["messages"]}
    assert [message for message in told["messages"] if message[0] in known] == raw["messages"]
    assert [message[3][0]["text"][:7] for message in told["messages"] if message[0] not in known] == [
        "Step 13",
        "Step 27",
    ]
    assert told["dropped"] == raw["dropped"]
    assert [each[2] for each in told["compactions"]] == ["text", "text"]


@pytest.mark.django_db
def test_metadata_alone_gives_the_timeline_and_compactions_of_unknown_content(acme, raw):
    metadata = partial(telling.told_by_the_client, content_mode="metadata_only")
    take(acme, telling.exported(metadata, Model(), TURNS))

    told = story(Conversation.objects.get(source="otlp"))
    assert told["messages"] == []
    assert [each[:3] for each in told["compactions"]] == [("threshold", "threshold", "absent")] * 2
    assert told["used"] == raw["used"]


@pytest.mark.django_db
def test_attributes_that_the_exporter_dropped_are_no_loss_of_the_agent(acme, raw):
    teller = partial(telling.told_by_openinference, trace="turn", session="")
    take(acme, telling.exported(teller, Model(), TURNS, limits=None))

    told = story(Conversation.objects.get(source="otlp"))
    assert by_words(told)[0] == by_words(raw)[0]
    assert told["used"] == raw["used"]


@pytest.mark.django_db
def test_call_whose_conversation_was_dropped_by_the_exporter_is_told_and_kept(acme):
    requests = telling.exported(telling.told_by_openinference, Model(most=99), TURNS, limits=None)

    taken = [accept(acme, body) for body in requests]

    lost = sum(each.rejected for each in taken)
    assert [each.rejected for each in taken] == [0] * (TURNS - lost) + [1] * lost
    assert 0 < lost < TURNS
    assert "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in taken[-1].message
    assert Batch.objects.filter(rejected=1).count() == lost


ON_DEMAND = [
    (telling.told_by_openinference, "text"),
    (telling.told_by_openllmetry, "text"),
    (telling.told_by_the_client, "absent"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("teller", "state"), ON_DEMAND)
def test_compactions_on_demand_are_the_same_however_they_are_told(acme, teller, state):
    model = OnDemand()
    take(acme, telling.exported(teller, model, 3, agent=telling.run_on_demand))
    take_raw(acme, model.pairs)

    told, raw = (story(Conversation.objects.get(source=source)) for source in ("otlp", "exchanges"))
    assert by_words(told) == by_words(raw)
    assert [each[:3] for each in told["compactions"]] == [("on_demand", "manual", state)] * 2
    assert [each for each in told["used"] if each[0] == "turn"] == [each for each in raw["used"] if each[0] == "turn"]
