import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from conversations.ingest import services
from conversations.models import Batch, Message
from tests.ingest.test_digest import message


@pytest.fixture
def batches(acme):
    bodies = [json.dumps([message(number)]).encode() for number in range(3)]
    made = [services.accept_events(workspace=acme, body=body).batch for body in bodies]
    services.digest_pending()
    return made


def redigest(capsys, **options):
    call_command("redigest", **options)
    return capsys.readouterr().out.splitlines()


def test_all_batches_are_digested_again_and_nothing_changes(batches, capsys):
    rows = sorted(Message.objects.values_list())

    assert redigest(capsys, all=True) == [f"batch {batch.pk}: digested" for batch in batches]
    assert sorted(Message.objects.values_list()) == rows


def test_rows_that_were_lost_come_back(batches, capsys):
    Message.objects.all().delete()

    redigest(capsys, batch=[batches[1].pk])

    assert Message.objects.get().external_id == "m1"


def test_only_failed_ones_are_digested_again(batches, capsys):
    Batch.objects.filter(pk=batches[2].pk).update(state="failed", error="ValueError: once", attempts=5)

    assert redigest(capsys, failed=True) == [f"batch {batches[2].pk}: digested"]
    assert Batch.objects.get(pk=batches[2].pk).error == ""


def test_batch_without_bytes_is_told(batches, capsys):
    Batch.objects.filter(pk=batches[0].pk).update(raw_deleted_at=timezone.now())

    with pytest.raises(CommandError, match="not kept any more"):
        redigest(capsys, batch=[batches[0].pk])
    assert redigest(capsys, all=True) == [f"batch {batch.pk}: digested" for batch in batches[1:]]


def test_batch_that_fails_again_fails_the_command(batches, capsys, monkeypatch):
    monkeypatch.setattr("conversations.ingest.digest._finish", lambda *_: {}["missing"])

    with pytest.raises(CommandError, match="1 of 1 could not be digested"):
        redigest(capsys, batch=[batches[0].pk])
    assert "KeyError" in capsys.readouterr().out
