import pytest

from conversations.web.messages import PIECE, Piece, piece_of
from tests.factories import create_compaction, create_conversation, create_message


@pytest.fixture
def conversation(acme):
    return create_conversation(acme)


def test_page_asks_little(alice, conversation, django_assert_num_queries):
    message = create_message(conversation)
    url = message.get_absolute_url()

    with django_assert_num_queries(4):
        alice.get(url)


def test_page_shows_everything_unfolded(alice, conversation):
    message = create_message(conversation, role="tool", blocks=[{"type": "tool_result", "id": "t", "text": "z" * 5000}])

    page = alice.get(message.get_absolute_url()).content.decode()

    assert "z" * 5000 in page
    assert '<details class="fold" open>' in page


def test_page_leads_back_to_conversation_and_compaction(alice, conversation):
    message = create_message(conversation)
    compaction = create_compaction(conversation, dropped=[message])

    page = alice.get(message.get_absolute_url()).content.decode()

    assert f"{conversation.get_absolute_url()}?around={message.pk}#m{message.pk}" in page
    assert compaction.get_absolute_url() in page


def test_page_of_a_huge_message_comes_in_parts(alice, conversation):
    message = create_message(conversation, "a" * PIECE + "b" * 10)

    first, second = alice.get(message.get_absolute_url()), alice.get(message.get_absolute_url(), {"page": 2})

    assert "part 1 of 2" in first.content.decode()
    assert "b" * 10 in second.content.decode()
    assert "a" * 10 not in second.content.decode()


@pytest.mark.parametrize("page", ["0", "3", "x", "-1", "²", "99999999999"])
def test_page_has_no_parts_beyond_its_end(alice, conversation, page):
    message = create_message(conversation)

    assert alice.get(message.get_absolute_url(), {"page": page}).status_code == 404


def test_pieces_cover_every_character_once():
    blocks = [
        {"type": "text", "text": "abc"},
        {"type": "image", "media_type": "image/png"},
        {"type": "tool_call", "name": "Bash", "input": "0123456789"},
        {"type": "tool_result", "text": "xyz"},
    ]

    pieces = [piece_of(blocks, Piece(start, start + 5)) for start in range(0, 16, 5)]

    assert "".join(str(part.body) for piece in pieces for part in piece) == "abc0123456789xyz"
    assert [part.kind for part in pieces[0]] == ["text", "image", "tool_call"]
