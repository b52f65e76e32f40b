from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.api import throttle
from conversations.models import ApiKey
from tests.factories import create_api_key

URL = "/api/v1/batches"


def test_missing_key_is_asked_for(client, db):
    response = client.get(URL)

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["error"]["mend"]


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_key_may_come_in_two_headers(client, acme, header):
    _, key = create_api_key(acme)

    value = f"Bearer {key}" if header == "Authorization" else key

    assert client.get(URL, headers={header: value}).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}],
)
def test_key_that_ended_is_refused(client, acme, fields):
    _, key = create_api_key(acme, **fields)

    response = client.get(URL, headers={"Authorization": f"Bearer {key}"})

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "bad_key"


@pytest.mark.parametrize("key", ["obs_wrong", "", "é", "a" * 5000])
def test_unknown_key_is_refused(client, db, key):
    assert client.get(URL, headers={"X-API-Key": key.encode("utf-8").decode("latin-1")}).status_code == 401


def test_key_without_the_scope_is_refused(client, acme):
    _, key = create_api_key(acme, ["read"])

    response = client.post("/api/v1/events", "[]", content_type="application/json", headers={"X-API-Key": key})

    assert response.status_code == 403
    assert response.json()["error"]["mend"] == "Use a key that has this scope."


def test_last_use_is_noted_to_the_minute(client, acme):
    row, key = create_api_key(acme)

    client.get(URL, headers={"X-API-Key": key})
    first = ApiKey.objects.get(pk=row.pk).last_used_at
    client.get(URL, headers={"X-API-Key": key})

    assert first is not None
    assert ApiKey.objects.get(pk=row.pk).last_used_at == first


def test_too_many_requests_are_told_when_to_come_back(client, acme, settings):
    settings.MAX_REQUESTS_PER_SECOND = 1
    throttle.forget()
    _, key = create_api_key(acme)

    statuses = [client.get(URL, headers={"X-API-Key": key}).status_code for _ in range(2)]
    response = client.get(URL, headers={"X-API-Key": key})

    assert statuses == [200, 429]
    assert response["Retry-After"] == "1"
    assert response.json()["error"]["code"] == "over_rate"


def test_bucket_fills_again_and_never_overflows():
    bucket = throttle.Bucket(2, at=0)

    taken = [bucket.take(now, 2) for now in (0, 0, 0, 0.5, 0.5, 100, 100, 100)]

    assert taken == [True, True, False, True, False, True, True, False]
