"""What taking exchanges costs, and that nothing is lost when it fails or several are taken at once."""

import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from conversations.ingest import exchanges as accepting
from conversations.ingest import services
from conversations.models import Compaction, Conversation
from tests.ingest.agents import Client, said


def count_queries(accept, *exchanges):
    with CaptureQueriesContext(connection) as queries:
        accept(*exchanges)
    return len(queries)


def test_number_of_queries_does_not_depend_on_the_number_of_exchanges(acme):
    client = Client()
    exchanges = client.turns(60)

    def accept(*some):
        services.accept_exchanges(workspace=acme, exchanges=some, source="exchanges")

    accept(exchanges[0])
    few, many = count_queries(accept, exchanges[1]), count_queries(accept, *exchanges[2:])
    assert many == few
    assert few <= 10


def fails(batch, body):
    raise OSError("disk")


def test_exchange_that_was_not_stored_is_not_known_either(accept, acme, monkeypatch):
    """Whatever breaks the request off, the sender's next attempt is taken as the first."""
    client = Client()
    exchanges = client.turns(3)
    accept(exchanges[0])
    with monkeypatch.context() as broken:
        broken.setattr(accepting.inbox, "store_whole", fails)
        with pytest.raises(OSError, match="disk"):
            services.accept_exchanges(workspace=acme, exchanges=exchanges[1:], source="exchanges")

    receipt = accept(*exchanges[1:])

    assert [result.status for result in receipt.results] == ["accepted", "accepted"]
    assert len(said()) == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["ticket-1", ""])
def test_exchanges_that_come_at_once_are_taken_one_after_another(acme, name):
    client = Client(name)
    exchanges = client.turns(12)
    together = threading.Barrier(4)
    errors = []

    def send(ours):
        try:
            together.wait()
            for exchange in ours:
                services.accept_exchanges(workspace=acme, exchanges=[exchange], source="exchanges")
        except Exception as error:  # noqa: BLE001 -- told below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(exchanges[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    services.digest_pending()

    assert errors == []
    assert Compaction.objects.count() == 0
    conversation = Conversation.objects.get()
    assert conversation.request_count == 12
    assert set(said()) == {each.blocks[0].text for each in client.history}
    assert conversation.message_count == 24
