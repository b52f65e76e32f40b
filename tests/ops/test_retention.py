from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.ingest import inbox
from conversations.models import Batch, BatchProblem
from conversations.ops import retention
from tests.factories import chunks_of, create_batch


def kept(workspace, **fields):
    batch = create_batch(workspace, **fields)
    inbox.store(batch, [b"as they came"])
    return batch


CASES = [  # state, days old, rejected, with a problem, purged
    ("digested", 29, 0, False, False),
    ("digested", 31, 0, False, True),
    ("digested", 31, 1, False, False),
    ("digested", 31, 0, True, False),
    ("digested", 119, 1, True, False),
    ("digested", 121, 1, True, True),
    ("failed", 31, 0, False, False),
    ("failed", 121, 0, False, True),
    ("pending", 1000, 0, False, False),
]


@pytest.mark.parametrize(("state", "days", "rejected", "with_problem", "purged"), CASES)
def test_bytes_are_kept_as_long_as_they_may_be_needed(acme, state, days, rejected, with_problem, purged):
    batch = kept(acme, state=state, rejected=rejected)
    Batch.objects.filter(pk=batch.pk).update(received_at=timezone.now() - timedelta(days=days))
    if with_problem:
        BatchProblem.objects.create(workspace=acme, batch=batch, code="bad_json", message="broken", line=1)

    assert retention.purge_raw() == purged
    assert chunks_of(batch).exists() != purged
    assert (Batch.objects.get().raw_deleted_at is not None) == purged
    assert BatchProblem.objects.exists() == with_problem
    assert retention.purge_raw() == 0


def test_each_workspace_has_its_own_days(acme, globex):
    acme.raw_days = 5
    acme.save()
    batches = [kept(workspace) for workspace in (acme, globex)]
    Batch.objects.update(received_at=timezone.now() - timedelta(days=10))

    retention.purge_raw()

    assert [chunks_of(batch).exists() for batch in batches] == [False, True]


def test_more_than_one_transaction_of_batches_is_purged(acme, monkeypatch):
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for _ in range(5):
        kept(acme)
    Batch.objects.update(received_at=timezone.now() - timedelta(days=31))

    assert retention.purge_raw() == 5
    assert not Batch.objects.filter(raw_deleted_at=None).exists()
