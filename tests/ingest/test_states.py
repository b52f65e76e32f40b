import json

import pytest
from django.db import transaction

from conversations.ingest import services, states
from conversations.ingest.work import Key, Work
from conversations.models import Batch, Conversation
from tests.ingest.test_digest import message


def test_nothing_to_write_locks_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert states.lock([]) == []


def test_conversations_are_found_or_made_and_told_apart(acme, globex):
    keys = [Key(acme.pk, "events", "c"), Key(acme.pk, "codex", "c"), Key(globex.pk, "events", "c")]
    with transaction.atomic():
        [(known, _)] = states.lock([Work(keys[0], received=acme.created_at)])

        found = states.lock([Work(key, received=acme.created_at) for key in keys])

    assert {state.key for state, _ in found} == set(keys)
    assert all(state.key == work.key for state, work in found)
    assert [state.is_new for state, _ in found if state.id == known.id] == [False]
    assert Conversation.objects.count() == 3


@pytest.mark.parametrize("more", [[], [{**message(1), "role": "wizard"}]])
def test_batch_in_which_every_event_is_rejected_is_digested_and_tells_why(acme, more):
    events = [{"type": "nonsense"}, *more]
    receipt = services.accept_events(workspace=acme, body=json.dumps({"events": events}).encode())

    services.digest_pending()

    batch = Batch.objects.get()
    assert [result.status for result in receipt.results] == ["rejected"] * len(events)
    assert (batch.state, batch.accepted, batch.rejected, batch.error) == ("digested", 0, len(events), "")
    assert list(batch.problems.order_by("line").values_list("line", flat=True)) == list(range(len(events)))
    assert not Conversation.objects.exists()


def test_models_are_named_once_and_not_without_end(acme):
    with transaction.atomic():
        [(state, _)] = states.lock([Work(Key(acme.pk, "events", "c"), received=acme.created_at)])
    for number in range(states.MOST_MODELS + 5):
        state.add_model(f"model-{number % 60:02d}")
        state.add_model("")

    assert len(state.model_names) == states.MOST_MODELS
    assert state.model_names == sorted(set(state.model_names))
