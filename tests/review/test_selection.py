"""Words selected on a page are found in the text they come from."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.review.selection import MOST_SELECTED, Place, find_place
from conversations.web.highlight import highlight
from conversations.web.prose import render

TEXT = "# Rules\n\n- Never write to **ledger_v1**:\n  auditors froze it.\n- Port `8443`, not -5.\n\n1. Ship it.\n"


@pytest.mark.parametrize(
    ("selected", "quote"),
    [
        ("Never write to ledger_v1:", "Never write to **ledger_v1**:"),
        ("ledger_v1", "ledger_v1"),
        ("write to ledger_v1: auditors froze it.", "write to **ledger_v1**:\n  auditors froze it."),
        ("froze it.•Port 8443", "froze it.\n- Port `8443"),
        ("-5.\n\n1.Ship", "-5.\n\n1. Ship"),
        ("  8443  ", "8443"),
        ("not -5", "not -5"),
        ("-5", "-5"),
    ],
)
def test_words_are_found_as_they_are_read(selected, quote):
    place = find_place([(0, TEXT)], selected)

    assert place == Place(0, TEXT.index(quote), TEXT.index(quote) + len(quote), quote)


@pytest.mark.parametrize("selected", ["", "   ", "**", "never written", "ship it.", "x" * (MOST_SELECTED + 1)])
def test_what_is_not_there_is_not_found(selected):
    assert find_place([(0, TEXT)], selected) is None


@pytest.mark.parametrize(("before", "start"), [("", 0), ("the ", 8), ("then *the* ", 21), ("unknown", 0)])
def test_what_stands_before_tells_places_apart(before, start):
    text = "port of the port, then **the** port"
    starts = [match.start() for match in re.finditer("port", text)]

    found = find_place([(0, text)], "port", before).start

    assert found == {0: starts[0], 8: starts[1], 21: starts[2]}[start]


def test_the_block_is_told():
    assert find_place([(0, "a call"), (2, "the result")], "result") == Place(2, 4, 10, "result")


def test_a_large_text_is_looked_through_at_once():
    text = "ab " * 300_000 + "a needle"

    assert find_place([(0, text)], "a needle").end == len(text)


def words_of(html):
    """What a browser gives of a selection: text without the elements."""
    return unescape(re.sub("<[^>]*>", "", html))


@given(st.text("ab1*`#- .\n•\r\x07", max_size=60))
def test_a_whole_text_is_found_by_what_the_page_shows_of_it(text):
    for shown in (render(text), highlight(text)):
        selected = words_of(shown)
        place = find_place([(0, text)], selected)
        if place is None:
            assert not re.search("[ab1.]", selected)
        else:
            assert text[place.start : place.end] == place.quote
            assert re.sub("[^ab1.]", "", place.quote) == re.sub("[^ab1.]", "", selected)


@given(st.text("ab ", min_size=1, max_size=40), st.data())
def test_every_place_is_told_by_what_stands_before_it(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    selected = text[start:end].strip()

    place = find_place([(0, text)], text[start:end], text[:start])

    if not selected:
        assert place is None
    else:
        spaces = len(text[start:end]) - len(text[start:end].lstrip())
        assert len(text[: place.start].replace(" ", "")) == len(text[: start + spaces].replace(" ", ""))
        assert place.quote == selected
