import pytest

from conversations.models import Conversation, Deletion, Hold, Workspace
from conversations.ops import deletion
from tests.factories import create_conversation, create_message

PAGE = "/w/acme/settings/deletions/"


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_as_much_for_any_number_of_rows(alice, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        Deletion.objects.create(workspace=acme, kind="person", state="done", requested_by=alice.user)

    with django_assert_num_queries(4):
        response = alice.get(PAGE)

    assert len(response.context["page"].rows) == rows


def test_conversation_is_deleted_from_its_page(alice, acme):
    conversation = create_conversation(acme)
    address = f"/w/acme/conversations/{conversation.pk}/delete/"
    assert address in alice.get(conversation.get_absolute_url()).content.decode()
    create_conversation(acme, parent_external_id=conversation.external_id)
    assert "the 1 conversation it delegated" in alice.get(address).content.decode()

    response = alice.post(address, follow=True)

    assert not Conversation.objects.exists()
    assert "Done" in response.content.decode()
    assert "2 conversations" in response.content.decode()


def test_only_admins_are_offered_to_delete(victor, acme):
    page = victor.get(create_conversation(acme).get_absolute_url())

    assert "/delete/" not in page.content.decode()


def test_what_is_held_is_not_deleted(alice, acme):
    conversation = create_conversation(acme)
    Hold.objects.create(workspace=acme, conversation=conversation, reason="a case")

    response = alice.post(f"/w/acme/conversations/{conversation.pk}/delete/")

    assert response.status_code == 422
    assert "A hold is on it" in response.content.decode()
    assert Conversation.objects.exists()


def test_person_is_looked_for_then_deleted(alice, acme):
    mentioned = create_conversation(acme, title="Hello")
    create_message(mentioned, "I am Jane Doe.")
    create_conversation(acme)

    found = alice.post(PAGE, {"texts": "jane doe\n\nJane Doe\n"}, follow=True)
    assert "Found in 1 conversation." in found.content.decode()
    assert mentioned.get_absolute_url() in found.content.decode()
    assert Conversation.objects.count() == 2
    done = alice.post(f"{PAGE}{Deletion.objects.get().pk}/confirm/", follow=True)

    assert "Done" in done.content.decode()
    assert Conversation.objects.count() == 1


def test_nobody_found_can_be_closed(alice, acme):
    page = alice.post(PAGE, {"texts": "jane doe"}, follow=True)
    assert "Found nowhere." in page.content.decode()

    alice.post(f"{PAGE}{Deletion.objects.get().pk}/cancel/")

    assert not Deletion.objects.exists()


@pytest.mark.parametrize("texts", ["", "ab", "\n".join(f"name {n}" for n in range(21))])
def test_what_cannot_be_looked_for_is_said(alice, texts):
    assert alice.post(PAGE, {"texts": texts}).status_code == 422
    assert not Deletion.objects.exists()


def test_progress_is_asked_for_again_while_it_is_at_work(alice, acme):
    row = Deletion.objects.create(workspace=acme, kind="conversation", state="running", total=8, done=3)

    part = alice.get(f"{PAGE}{row.pk}/", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in part
    assert 'max="8" value="3"' in part
    assert "every 2s" in part


def test_what_failed_is_gone_on_with(alice, acme):
    conversation = create_conversation(acme)
    row = deletion.delete_conversation(conversation, alice.user)
    Deletion.objects.update(state="failed", error="OSError.")
    assert "It stopped." in alice.get(f"{PAGE}{row.pk}/").content.decode()

    alice.post(f"{PAGE}{row.pk}/retry/")

    assert not Conversation.objects.exists()


def test_workspace_is_deleted_by_its_typed_name_only(alice, acme, globex):
    create_conversation(acme)
    address = f"{PAGE}workspace/"
    for name in ("", "acme", "Acme "):
        assert alice.post(address, {"name": name}).status_code == (302 if name.strip() == "Acme" else 422)

    assert Workspace.objects.get() == globex
    assert alice.get("/w/acme/").status_code == 404


def test_held_workspace_stays(alice, acme):
    Hold.objects.create(workspace=acme, agent_name="coder", reason="a case")

    assert alice.post(f"{PAGE}workspace/", {"name": "Acme"}).status_code == 422
    assert Workspace.objects.exists()
