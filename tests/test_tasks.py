import json

import pytest
from kombu.exceptions import OperationalError

from conversations import tasks
from conversations.ingest import services


class Timer:
    """A timer that is over when the test says so."""

    started: list["Timer"]

    def __init__(self, seconds, function, arguments):
        self.end = lambda: function(*arguments)

    def start(self):
        self.started.append(self)


@pytest.fixture
def timers(monkeypatch):
    monkeypatch.setattr(Timer, "started", [], raising=False)
    monkeypatch.setattr(tasks.threading, "Timer", Timer)
    monkeypatch.setitem(tasks.digest.app.conf, "task_always_eager", False)
    yield Timer.started
    tasks._gathering.clear()


@pytest.fixture
def accept(acme, django_capture_on_commit_callbacks):
    def accept_and_wake(name):
        event = {"type": "message", "id": name, "conversation": "c", "role": "user", "content": name}
        with django_capture_on_commit_callbacks(execute=True):
            receipt = services.accept_events(workspace=acme, body=json.dumps([event]).encode())
            tasks.wake(receipt.batch)

    return accept_and_wake


def test_batches_that_come_together_are_asked_for_once(accept, timers, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks.digest, "delay", lambda: asked.append("digest"))
    for name in ("a", "b", "c"):
        accept(name)

    assert (len(timers), asked) == (1, [])
    timers[0].end()
    assert asked == ["digest"]


def test_batch_that_comes_after_asking_is_asked_for_again(accept, timers, monkeypatch):
    monkeypatch.setattr(tasks.digest, "delay", lambda: accept("while asking"))
    accept("first")

    timers[0].end()

    assert len(timers) == 2


def test_queue_out_of_reach_is_left_to_the_sweeper(accept, timers, monkeypatch, caplog):
    def refuse():
        raise OperationalError("no queue")

    monkeypatch.setattr(tasks.digest, "delay", refuse)
    accept("first")

    timers[0].end()

    assert "the sweeper will see to it" in caplog.text
