import pytest

from conversations.web.navigation import section_of


@pytest.mark.parametrize(
    ("path", "section"),
    [
        ("/w/acme/", "overview"),
        ("/w/acme/conversations/7/facts/", "conversations"),
        ("/w/acme/messages/7/", "conversations"),
        ("/w/acme/compactions/", "compactions"),
        ("/w/acme/batches/7/", "settings"),
        ("/w/acme/settings/prices/", "settings"),
        ("/sign-in/", ""),
        ("/", ""),
    ],
)
def test_section_is_told_by_the_path(path, section):
    assert section_of(path) == section
