from datetime import timedelta

import pytest
from django.utils import timezone

from conversations.models import Activity, Conversation, Hold, RetentionRule, Workspace
from tests.factories import create_conversation

PAGE = "/w/acme/settings/retention/"


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for number in range(rows):
        RetentionRule.objects.create(workspace=acme, agent_name=f"agent-{number}", raw_days=1)
        Hold.objects.create(workspace=acme, agent_name=f"agent-{number}", reason="a case", created_by=alice.user)

    with django_assert_num_queries(11):
        response = alice.get(PAGE)

    assert (len(response.context["rules"]), len(response.context["holds"])) == (rows, rows)


def test_days_are_saved_and_noted(alice, acme):
    response = alice.post(PAGE, {"form": "days", "raw_days": 7, "conversation_days": 90})

    acme.refresh_from_db()
    assert (response.status_code, acme.raw_days, acme.conversation_days) == (302, 7, 90)
    row = Activity.objects.get()
    assert (row.action, row.detail) == ("retention.changed", {"changed": ["raw_days", "conversation_days"]})


def test_what_would_go_is_shown_and_nothing_saved(alice, acme):
    create_conversation(acme, agent="coder", last_at=timezone.now() - timedelta(days=10))

    everything = alice.post(PAGE, {"form": "days", "raw_days": 7, "conversation_days": 9, "preview": "1"})
    agent = {"form": "rule", "agent_name": "coder", "raw_days": 7, "conversation_days": 9, "preview": "1"}
    one = alice.post(PAGE, agent)

    for response in (everything, one):
        assert [each.conversations for each in response.context["going"]] == [1, 1, 1]
        assert "Not saved." in response.content.decode()
    assert [each.conversations for each in alice.get(PAGE).context["going"]] == [0, 0, 0]
    acme.refresh_from_db()
    assert (acme.raw_days, acme.conversation_days) == (30, None)
    assert Conversation.objects.exists()


def test_rule_of_an_agent_is_made_changed_and_deleted(alice, acme):
    alice.post(PAGE, {"form": "rule", "agent_name": "coder", "raw_days": 7, "conversation_days": 9})
    alice.post(PAGE, {"form": "rule", "agent_name": "coder", "raw_days": 8, "conversation_days": ""})

    row = RetentionRule.objects.get(workspace=acme)
    assert (row.agent_name, row.raw_days, row.conversation_days) == ("coder", 8, None)
    alice.post(f"{PAGE}rules/{row.pk}/delete/")
    assert not RetentionRule.objects.exists()


def test_hold_is_put_on_a_conversation_by_its_address_and_released(alice, acme):
    conversation = create_conversation(acme)
    address = f"http://testserver{conversation.get_absolute_url()}"

    alice.post(PAGE, {"form": "hold", "conversation": address, "reason": "a case"})

    hold = Hold.objects.get()
    assert (hold.conversation, hold.reason, hold.created_by) == (conversation, "a case", alice.user)
    alice.post(f"{PAGE}holds/{hold.pk}/release/")
    hold.refresh_from_db()
    assert hold.released_at is not None
    assert [row.action for row in Activity.objects.order_by("id")] == ["hold.made", "hold.released"]


WRONG = [
    {"form": "days", "raw_days": 0},
    {"form": "days", "raw_days": ""},
    {"form": "days", "raw_days": 5, "conversation_days": -1},
    {"form": "rule", "agent_name": "", "raw_days": 5},
    {"form": "rule", "agent_name": "coder", "raw_days": "many"},
    {"form": "hold", "reason": "a case"},
    {"form": "hold", "agent_name": "coder", "reason": ""},
    {"form": "hold", "conversation": "nowhere", "reason": "a case"},
    {"form": "hold", "conversation": "999999999", "reason": "a case"},
]


@pytest.mark.parametrize("posted", WRONG)
def test_what_is_wrong_is_said_and_nothing_saved(alice, acme, posted):
    response = alice.post(PAGE, posted)

    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert Workspace.objects.filter(raw_days=30, conversation_days=None).exists()
    assert not RetentionRule.objects.exists()
    assert not Hold.objects.exists()


def test_conversations_of_others_cannot_be_held(alice, globex):
    theirs = create_conversation(globex)

    assert alice.post(PAGE, {"form": "hold", "conversation": str(theirs.pk), "reason": "a case"}).status_code == 422
