import re

import pytest
from django.core.management import CommandError, call_command

from conversations.models import ApiKey, Budget, BudgetEvent, Compaction, Conversation, Message, Request
from conversations.ops.simulation.running import AGENT
from conversations.spending.budget_events import happened_in
from conversations.vocabulary import CompactionKind, SummaryState
from tests.factories import create_api_key

#: Other threads, the receiver's, must see what the test has made.
pytestmark = pytest.mark.django_db(transaction=True)


def simulate(capsys, *options):
    call_command("simulate", "--tickets", "2", "--trigger", "2500", *options)
    return capsys.readouterr().out.splitlines()


def counted(lines, name):
    """The two figures of a line of the table."""
    line = next(line for line in lines if line.startswith(name))
    return [int(figure.replace(",", "")) for figure in re.findall(r"[\d,]+", line)[:2]]


@pytest.mark.parametrize("options", [(), ("--stream", "--pause"), ("--instructions", "Keep every rule.", "--cache")])
def test_both_runs_are_in_the_database_as_the_table_says(acme, capsys, options):
    lines = simulate(capsys, *options)
    without, compacted = Conversation.objects.order_by("-external_id")
    assert (without.agent.name, compacted.agent.name) == (AGENT, AGENT)
    assert Compaction.objects.filter(conversation=without).count() == 0
    assert [without.title, compacted.title] == [
        "Support desk, 2 tickets, without compaction",
        "Support desk, 2 tickets, compacted at 2,500 tokens",
    ]
    requests = [Request.objects.filter(conversation=each, purpose="turn") for each in (without, compacted)]
    inputs = [sum(request.context_tokens for request in each) for each in requests]
    for_summaries = counted(lines, "  of them for summaries")[1]
    assert counted(lines, "input tokens") == [inputs[0], inputs[1] + for_summaries]
    assert counted(lines, "largest context")[0] == max(request.context_tokens for request in requests[0])
    assert counted(lines, "compactions") == [0, Compaction.objects.count()]


def test_a_compaction_is_recorded_with_what_it_dropped(acme, capsys):
    simulate(capsys, "--instructions", "Keep every rule.")
    first = Compaction.objects.order_by("position").first()
    assert (first.kind, first.summary_state) == (CompactionKind.THRESHOLD, SummaryState.TEXT)
    assert (first.trigger_tokens, first.instructions) == (2_500, "Keep every rule.")
    before = Message.objects.filter(conversation=first.conversation, position__lt=first.position).count()
    assert first.dropped_count == before > 4


def test_a_budget_warns_wraps_up_and_ends_and_the_timeline_shows_it(acme, capsys, client):
    lines = simulate(capsys, "--budget", "15000")
    [conversation] = Conversation.objects.all()
    events = list(BudgetEvent.objects.order_by("at", "percent"))

    assert [event.kind for event in events if event.external_id is None] == ["warned", "reached"]
    [injected] = [event for event in events if event.external_id]
    assert (injected.kind, injected.budget) == ("wrap_up_injected", Budget.objects.get())
    assert "of 15,000 tokens are used. Please wrap up" in injected.message
    assert injected.used >= 15_000
    assert "it ended with: budget. I stop here." in "\n".join(lines)
    said = [block.get("text") for message in Message.objects.all() for block in message.blocks]
    assert said.count(injected.message) == 1
    [after] = [each for each in happened_in(conversation) if each.event == injected]
    assert (after.requests, after.tokens > 0) == (1, True)
    assert conversation.request_count < 15


def test_a_budget_that_is_too_small_is_refused(acme):
    with pytest.raises(CommandError, match="--budget wants at least"):
        call_command("simulate", "--budget", "10")


def test_the_key_that_was_made_for_it_stops_working(acme, capsys):
    simulate(capsys)
    assert ApiKey.objects.get(name="simulate").revoked_at is not None


def test_it_says_where_the_pages_are(acme, capsys, settings):
    settings.PUBLIC_URL = "https://observatory.example.org"
    lines = simulate(capsys)
    pages = [f"https://observatory.example.org/w/acme/conversations/{pk}/" for pk in _conversations()]
    assert [line for line in lines if "/conversations/" in line] == pages
    assert lines[-1] == "https://observatory.example.org/w/acme/savings/"


def _conversations():
    return Conversation.objects.order_by("-external_id").values_list("pk", flat=True)


@pytest.mark.parametrize("secure", [True, False])
def test_the_settings_of_a_public_server_do_not_keep_it_out(acme, capsys, settings, secure):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = [".example.org"], secure
    simulate(capsys)
    assert Conversation.objects.count() == 2


def test_a_running_server_is_recorded_to(acme, capsys, live_server):
    key = create_api_key(acme, ["ingest"])[1]
    lines = simulate(capsys, "--url", live_server.url, "--key", key)
    names = list(Conversation.objects.order_by("-external_id").values_list("external_id", flat=True))
    assert lines[-1] == f"Recorded as {names[0]} and {names[1]}: {live_server.url}/"
    assert not ApiKey.objects.filter(name="simulate").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tickets", "0"], "--tickets wants 1 to 300"),
        (["--trigger", "100"], "--trigger wants at least 2,000"),
        (["--url", "http://localhost:1"], "--url and --key go together"),
        (["--workspace", "nowhere"], "no workspace nowhere"),
    ],
)
def test_what_cannot_be_run_is_said(acme, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("simulate", *options)
