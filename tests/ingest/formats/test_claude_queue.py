import pytest

from conversations.ingest.events import (
    Text,
)
from conversations.ingest.formats import STRIDE
from conversations.vocabulary import Origin
from tests.ingest.formats.claude import attachment, messages, queued, said
from tests.ingest.formats.lines import assistant, user


def test_queued_message_removed_from_the_queue_is_said_where_it_was_removed():
    records = [
        user("u1", "Hi"),
        queued("enqueue", content="Also the tests", minute=5),
        queued("remove"),
        assistant("a1", "Ok."),
    ]

    message = messages(*records)[1]

    assert (message.id, message.origin, message.content) == ("queued-3", Origin.QUEUED, [Text("Also the tests")])
    assert (message.sequence, message.at.minute) == (3 * STRIDE, 5)


@pytest.mark.parametrize(
    "delivery",
    [
        [queued("dequeue"), user("u2", "Also the tests")],
        [queued("remove"), user("u2", "Also the tests")],
        [queued("remove"), attachment("u2", "queued_command", prompt="Also the tests", origin={"kind": "human"})],
        [attachment("u2", "queued_command", prompt="Also the tests", commandMode="prompt"), queued("remove")],
    ],
)
def test_queued_message_is_said_once(delivery):
    records = [user("u1", "Hi"), queued("enqueue", content="Also the tests"), *delivery, assistant("a1", "Ok.")]

    assert [message.id for message in messages(*records)] == ["u1", "u2", "a1"]


@pytest.mark.parametrize(
    "content",
    [
        "/model",
        "/clear now",
        '{"task_id":"b9","description":"Run tests"}',
        "<task-notification>\n<task-id>b9</task-id>",
        "",
    ],
)
def test_queued_notices_and_commands_are_no_messages(content):
    records = [user("u1", "Hi"), queued("enqueue", content=content), queued("remove"), assistant("a1", "Ok.")]

    assert [message.id for message in messages(*records)] == ["u1", "a1"]


@pytest.mark.parametrize("operations", [[], [queued("popAll"), queued("remove")]], ids=["still waiting", "taken back"])
def test_queued_message_that_was_not_delivered_is_not_said(operations):
    records = [user("u1", "Hi"), queued("enqueue", content="Also the tests"), *operations, assistant("a1", "Ok.")]

    assert [message.id for message in messages(*records)] == ["u1", "a1"]


def test_queued_path_is_not_taken_for_a_command():
    records = [
        user("u1", "Hi"),
        queued("enqueue", content="/home/dev is wrong"),
        queued("remove"),
        assistant("a1", "Ok."),
    ]

    assert [message.id for message in messages(*records)] == ["u1", "queued-3", "a1"]


def test_queued_notice_of_the_harness_as_attachment_is_the_harness():
    notice = attachment("n1", "queued_command", prompt="<task-notification>done", commandMode="task-notification")

    assert said(notice) == [("n1", "user", "harness")]
