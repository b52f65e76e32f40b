import pytest
from django.db import connection

from conversations.ops import health
from conversations.ops.preparation import install_queue


@pytest.fixture
def queue(db, settings):
    """Another broker's queue is not in the database, so it is not asked."""
    settings.QUEUE_IN_DATABASE = False


def test_live_asks_no_database(client):
    response = client.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "live"})


def test_ready_tells_each_check(client, queue, monkeypatch):
    monkeypatch.setattr(health, "_queue", lambda: (True, "answers"))

    response = client.get("/health/ready")

    assert response.status_code == 200
    assert list(response.json()["checks"]) == ["database", "migrations", "queue", "jobs", "digestion", "isolation"]


def test_ready_says_503_and_why(client, queue, monkeypatch):
    monkeypatch.setattr(health, "_queue", lambda: (True, "answers"))
    monkeypatch.setattr(health, "_migrations", lambda: (False, "2 to apply: run `manage.py migrate`"))

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == {"ok": False, "reason": "2 to apply: run `manage.py migrate`"}


@pytest.mark.parametrize(("minutes", "hidden", "ok"), [(4, False, True), (6, False, False), (6, True, True)])
def test_worker_that_takes_no_jobs_makes_it_unready(db, settings, minutes, hidden, ok):
    """A message that a worker has taken is hidden from others until it is done."""
    settings.QUEUE_IN_DATABASE = True
    install_queue()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pgmq.create('alerts')")
        cursor.execute("SELECT pgmq.send('alerts', '{}', %s)", [600 if hidden else 0])
        cursor.execute("UPDATE pgmq.q_alerts SET enqueued_at = now() - make_interval(mins => %s)", [minutes])

    checks = {check.name: check for check in health.check_readiness()}

    assert checks["jobs"].ok is ok
    assert ok or "is the worker alive?" in checks["jobs"].reason


def test_metrics_are_prometheus_text(client, queue):
    text = client.get("/metrics").content.decode()

    assert "# TYPE observatory_digest_lag_seconds gauge\nobservatory_digest_lag_seconds 0\n" in text
    assert 'observatory_rows{table="message"} 0' in text


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"),
    [
        ("", {}, "127.0.0.1", 200),
        ("", {}, "::1", 200),
        ("", {}, "", 200),
        ("", {}, "203.0.113.5", 403),
        ("", {"X-Forwarded-For": "203.0.113.5"}, "127.0.0.1", 403),
        ("s3", {}, "127.0.0.1", 403),
        ("s3", {"Authorization": "Bearer wrong"}, "127.0.0.1", 403),
        ("s3", {"Authorization": "Bearer s3"}, "203.0.113.5", 200),
    ],
)
def test_metrics_are_for_this_machine_or_the_token(client, queue, settings, token, headers, address, status):
    settings.METRICS_TOKEN = token

    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status


def test_every_answer_tells_the_browser_what_it_may(client):
    response = client.get("/health/live")

    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert response.headers["Permissions-Policy"].startswith("camera=()")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
