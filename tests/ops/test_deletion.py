import pytest

from conversations import tasks
from conversations.models import (
    Activity,
    ApiKey,
    Conversation,
    DeletedConversation,
    Deletion,
    DeletionTarget,
    Hold,
    Workspace,
)
from conversations.ops import deletion
from conversations.ops.holds import Held, release
from tests.factories import create_api_key, create_batch, create_conversation, create_message


def finished(wanted):
    tasks.begin_deletion(wanted)
    wanted.refresh_from_db()
    return wanted


def test_conversation_goes_with_all_it_delegated(acme, alice):
    root = create_conversation(acme)
    child = create_conversation(acme, parent_external_id=root.external_id)
    create_conversation(acme, parent_external_id=child.external_id)
    stays = create_conversation(acme)

    wanted = finished(deletion.delete_conversation(root, alice.user))

    assert Conversation.objects.get() == stays
    assert (wanted.state, wanted.done, wanted.total) == ("done", 3, 3)
    assert DeletedConversation.objects.count() == 3


def test_conversations_that_delegate_to_each_other_are_a_family(acme):
    first = create_conversation(acme, external_id="a", parent_external_id="b")
    second = create_conversation(acme, external_id="b", parent_external_id="a")

    assert deletion.family(first) == sorted([first.pk, second.pk])


def test_the_log_says_that_it_happened_and_not_what(acme, alice):
    finished(deletion.delete_conversation(create_conversation(acme, title="Secret", external_id="secret"), alice.user))

    rows = list(Activity.objects.order_by("id").values("action", "actor", "target", "detail"))
    assert [(row["action"], row["detail"]) for row in rows] == [
        ("deletion.requested", {"kind": "conversation", "conversations": 1}),
        ("deletion.done", {"kind": "conversation", "conversations": 1}),
    ]
    assert "ecret" not in str(rows)


# --- a person -------------------------------------------------------------------------------------------------------

TEXTS = [  # what is looked for, what is said, found
    ("jane@example.org", "Write to JANE@example.org.", True),
    ("jane@example.org", "Write to john@example.org.", False),
    ('the "boss"', 'That is the "boss" here', True),
    ("Zoë\\Müller", "from Zoë\\Müller", True),
    ("50%_off", "50%_off", True),
    ("50%_off", "50 or xoff", False),
]


@pytest.mark.parametrize(("needle", "text", "expected"), TEXTS)
def test_person_is_found_by_what_is_said(acme, alice, needle, text, expected):
    create_message(create_conversation(acme), text)

    wanted = finished(deletion.search_person(acme, ["nobody", needle], alice.user))

    assert (wanted.state, wanted.total) == ("found", int(expected))
    assert wanted.needles == []


def test_person_is_deleted_after_somebody_said_yes(acme, globex, alice):
    mentioned = create_conversation(acme, title="For Jane Doe")
    create_message(create_conversation(globex), "jane doe")
    create_conversation(acme)
    wanted = finished(deletion.search_person(acme, ["jane doe"], alice.user))
    assert Conversation.objects.count() == 3

    deletion.confirm(wanted, alice.user)
    deletion.confirm(wanted, alice.user)
    finished(wanted)

    assert not Conversation.objects.filter(pk=mentioned.pk).exists()
    assert Conversation.objects.count() == 2
    assert (wanted.state, wanted.done, wanted.held) == ("done", 1, 0)
    assert "Jane" not in str(list(Activity.objects.values()) + list(Deletion.objects.values()))


def test_search_can_be_called_off(acme, alice):
    create_message(create_conversation(acme), "jane")
    wanted = finished(deletion.search_person(acme, ["jane"], alice.user))

    deletion.cancel(wanted)

    assert not Deletion.objects.exists()
    assert not DeletionTarget.objects.exists()
    assert Conversation.objects.exists()


# --- going on -------------------------------------------------------------------------------------------------------


def test_a_worker_that_died_is_followed_by_another(acme, alice, monkeypatch):
    monkeypatch.setattr(deletion, "CONVERSATIONS_AT_ONCE", 1)
    monkeypatch.setattr(deletion, "_LOOKED_AT", 1)
    for _ in range(3):
        create_message(create_conversation(acme), "jane")
    wanted = deletion.search_person(acme, ["jane"], alice.user)
    steps = 0
    while deletion.work_on(wanted.pk, seconds=0):
        steps += 1
        assert steps < 2, "time is up before a step, so that nothing is done"
        break
    assert deletion.left_behind() == [wanted.pk]

    tasks.resume_deletions()
    wanted.refresh_from_db()
    deletion.confirm(wanted, alice.user)
    tasks.resume_deletions()

    assert not Conversation.objects.exists()
    assert deletion.left_behind() == []


def test_nobody_takes_what_another_is_at(acme, alice):
    wanted = deletion.delete_conversation(create_conversation(acme), alice.user)
    assert deletion._claim(wanted.pk) is not None

    assert deletion.work_on(wanted.pk, seconds=10) is False
    assert deletion.left_behind() == []
    assert Conversation.objects.exists()


def test_what_fails_is_told_and_can_be_tried_again(acme, alice, monkeypatch):
    wanted = deletion.delete_conversation(create_conversation(acme), alice.user)
    with monkeypatch.context() as patch:
        patch.setattr(deletion, "forget", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deletion.work_on(wanted.pk, seconds=10)
    wanted.refresh_from_db()
    assert (wanted.state, wanted.error) == ("failed", "ZeroDivisionError. The server's log says more.")
    assert deletion.left_behind() == []

    deletion.try_again(wanted)
    finished(wanted)

    assert wanted.state == "done"
    assert not Conversation.objects.exists()


# --- holds ----------------------------------------------------------------------------------------------------------


def test_holds_stop_deletions(acme, alice):
    held = create_conversation(acme, agent="coder")
    parent = create_conversation(acme, external_id="parent")
    Conversation.objects.filter(pk=held.pk).update(parent_external_id="parent")
    hold = Hold.objects.create(workspace=acme, agent_name="coder", reason="a case")

    for wanted in (held, parent):
        with pytest.raises(Held):
            deletion.delete_conversation(wanted, alice.user)
    with pytest.raises(Held):
        deletion.delete_workspace(acme, alice.user)
    release(hold)
    finished(deletion.delete_conversation(parent, alice.user))

    assert not Conversation.objects.exists()


def test_what_is_held_meanwhile_stays_and_is_counted(acme, alice):
    held, free = create_conversation(acme, title="jane"), create_conversation(acme, title="jane")
    wanted = finished(deletion.search_person(acme, ["jane"], alice.user))
    Hold.objects.create(workspace=acme, conversation=held, reason="a case")

    deletion.confirm(wanted, alice.user)
    finished(wanted)

    assert Conversation.objects.get() == held
    assert (wanted.done, wanted.held, free.pk) == (2, 1, free.pk)


# --- a workspace ----------------------------------------------------------------------------------------------------


def test_workspace_goes_with_everything(acme, globex, alice, charlie, monkeypatch):
    monkeypatch.setattr(deletion, "CONVERSATIONS_AT_ONCE", 2)
    monkeypatch.setattr(deletion, "_BATCHES_AT_ONCE", 2)
    for workspace in (acme, globex):
        create_api_key(workspace)
        for _ in range(3):
            create_message(create_conversation(workspace, agent="coder"))
            create_batch(workspace, problems=[{}])

    wanted = deletion.delete_workspace(acme, alice.user)
    assert not ApiKey.objects.usable().filter(workspace=acme).exists()
    tasks.begin_deletion(wanted)

    assert Workspace.objects.get() == globex
    assert Conversation.objects.count() == 3
    assert not Deletion.objects.exists()
