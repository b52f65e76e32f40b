import pytest

from tests.factories import create_compaction, create_conversation, create_message

WHY = "The oldest messages are gone, nothing stands for them."


def page_of(client, workspace, **fields):
    conversation = create_conversation(workspace)
    dropped = create_message(conversation, "Never deploy on a Friday.")
    compaction = create_compaction(conversation, None, kind="truncation", dropped=[dropped], **fields)
    return client.get(compaction.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"confidence": 0.95, "why": WHY}, f"found by comparing requests. {WHY} 95 % sure."),
        ({"confidence": 0.7, "why": WHY, "losses": 12}, f"found by comparing requests, 12 in a row. {WHY} 70 % sure."),
        ({"confidence": "high", "why": "<b>", "losses": "NaN"}, "found by comparing requests. &lt;b&gt;</p>"),
        ({"confidence": 1e300, "losses": "1e400"}, "found by comparing requests. </p>"),
    ],
)
def test_page_tells_how_a_compaction_was_found(alice, acme, raw, told):
    assert told in page_of(alice, acme, raw={"found_by": "difference", **raw})


@pytest.mark.parametrize("raw", [None, [], {}, {"found_by": "somebody"}, {"why": WHY, "confidence": 1}])
def test_page_says_nothing_of_it_where_the_source_tells(alice, acme, raw):
    assert "Nobody announced it" not in page_of(alice, acme, raw=raw)
