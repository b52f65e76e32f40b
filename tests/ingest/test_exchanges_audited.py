"""What is found by comparing contexts is audited like what is announced."""

import pytest

from conversations.audit import services as audit
from conversations.ingest import services
from conversations.models import Compaction, Conversation
from tests.ingest.agents import Client, user

RULE = "Never deploy on a Friday, whatever anybody says."
PORT = "The staging database listens on port 6432 of db-stage-4."


@pytest.fixture
def talk(acme):
    """A conversation in which a rule and a value are said at the beginning; returns the client and how to go on."""
    client = Client()

    def go_on(*exchanges):
        receipt = services.accept_exchanges(workspace=acme, exchanges=exchanges, source="exchanges", claimed=True)
        services.digest_claimed([receipt.batch])
        audit.audit_conversation(Conversation.objects.get(), settled=True)

    go_on(client.turn(RULE, "Understood."), client.turn(PORT, "Noted."), *client.turns(6, "What about matter"))
    return client, go_on


def outcomes(compaction):
    return {finding.quote: finding.outcome for finding in compaction.findings.all()}


def test_cut_is_audited_and_its_rule_is_forgotten(talk, bob):
    client, go_on = talk
    go_on(client.turn("Deploy now.", sent=client.history[-6:]))

    compaction = Compaction.objects.get()
    assert compaction.audit.state == "done"
    assert outcomes(compaction)[RULE] == "forgotten"
    page = bob.get(compaction.get_absolute_url()).content.decode()
    assert "Nothing was written in their place" in page
    assert "Never deploy on a Friday" in page


def test_what_stayed_is_not_forgotten_by_a_cut(talk):
    client, go_on = talk
    go_on(client.turn("Deploy now.", sent=[*client.history[:2], *client.history[-6:]]))

    assert RULE not in outcomes(Compaction.objects.get())


def test_summary_of_the_client_is_audited_beside_what_it_replaced(talk, bob):
    client, go_on = talk
    summary = f"Here is a summary of the conversation to date:\n\n{RULE} Six matters were asked about."
    go_on(client.turn("Deploy now.", sent=[user(summary), *client.history[-4:]]))

    compaction = Compaction.objects.get()
    found = outcomes(compaction)
    assert found[RULE] == "kept"
    assert next(outcome for quote, outcome in found.items() if "6432" in quote) == "forgotten"
    page = bob.get(compaction.get_absolute_url()).content.decode()
    assert "Six matters were asked about." in page
    assert "db-stage-4" in page


def test_window_that_slides_is_not_audited_with_every_request(talk):
    client, go_on = talk
    window = 9
    go_on(client.turn("First.", sent=client.history[-window:]))
    compaction = Compaction.objects.get()
    first = compaction.audit.input_key

    for number in range(3):
        exchange = client.turn(f"Then {number}.", sent=client.history[-window:])
        receipt = services.accept_exchanges(
            workspace=compaction.workspace, exchanges=[exchange], source="exchanges", claimed=True
        )
        services.digest_claimed([receipt.batch])
        audit.audit_conversation(Conversation.objects.get())
    compaction.audit.refresh_from_db()
    assert compaction.audit.input_key == first
    assert Conversation.objects.get().audit_due_at is not None

    audit.audit_conversation(Conversation.objects.get(), settled=True)
    compaction.audit.refresh_from_db()
    assert compaction.audit.input_key != first
    assert compaction.audit.input_key.startswith(f"{Compaction.objects.get().dropped_count}:")
