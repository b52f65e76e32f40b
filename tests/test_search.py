"""What people type into a search field."""

import pytest

from conversations.models import Conversation
from conversations.search import search_query
from tests.factories import create_conversation


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("shop", True),  # a part of the folder
        ("web", True),
        ("srv/shop-web", True),
        ("/srv/shop-web", True),
        ("SHO", True),  # the beginning of a part
        ("parser.py", True),  # a file named in the title
        ("parser", True),
        ("invoice_parser", True),
        ("op-web", False),  # not the beginning of one
        ("shop billing", False),
    ],
)
def test_paths_are_found_by_their_parts(acme, text, found):
    create_conversation(acme, title="Mend invoice_parser.py", cwd="/srv/shop-web")

    assert Conversation.objects.filter(search=search_query(text)).exists() is found


@pytest.mark.parametrize("text", ["", " ", "'", "/ - .", "\\"])
def test_nothing_to_look_for(text):
    assert search_query(text) is None
