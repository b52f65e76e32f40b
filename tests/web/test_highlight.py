import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.web.highlight import Mark, count, highlight, places

HOSTILE = "<script>alert('x')</script> & \"quoted\" \x00\x1b[31m \u202egnirts \u200f"


class Balance(HTMLParser):
    """Fails on an element that is closed in the wrong order; collects tags and words."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.words = [], set(), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, _attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def test_highlight_escapes_everything():
    html = highlight(HOSTILE)

    assert "<" not in html
    assert Balance(html).tags == set()


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\u202e", "\u2066", "\ufeff", "\U000e0041"])
def test_highlight_shows_what_cannot_be_seen(sign):
    assert highlight(f"a{sign}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_highlight_puts_marks_around_places():
    assert highlight("never write", [Mark(0, 5, css="forgotten")]) == '<mark class="forgotten">never</mark> write'


def test_highlight_says_the_outcome_before_the_words():
    html = highlight("never", [Mark(0, 5, css="kept", word="kept", name="7")])

    assert html == '<mark class="kept" data-mark="7"><span class="hidden-word">kept: </span>never</mark>'


def test_highlight_lets_marks_overlap():
    html = highlight("abcdef", [Mark(0, 4, css="kept"), Mark(2, 6, css="find")])

    assert re.sub("<[^>]+>", "", html) == "abcdef"
    assert html.count("kept") == 2  # before and under the other one


def test_highlight_cuts_marks_to_the_piece_shown():
    assert highlight("abcdef", [Mark(0, 6, css="find")], start=2, end=4) == '<mark class="find">cd</mark>'


def test_highlight_leaves_out_what_a_mark_without_element_covers():
    assert (
        highlight("**a**", [Mark(0, 2, tag=""), Mark(2, 3, tag="strong"), Mark(3, 5, tag="")]) == "<strong>a</strong>"
    )


spans = st.tuples(st.integers(-5, 60), st.integers(-5, 60)).map(sorted)


@given(st.text(max_size=50), st.lists(spans, max_size=8))
def test_highlight_is_well_formed_and_keeps_every_word(text, edges):
    html = highlight(text, [Mark(low, high, css="find") for low, high in edges])

    assert Balance(html).words == Balance(highlight(text)).words
    assert Balance(html).tags <= {"mark"}


@given(st.text(max_size=200), st.text(min_size=1, max_size=5))
def test_places_are_where_the_words_are(text, query):
    found = places(text, query)

    assert all(
        text[mark.start : mark.end].lower() == query.lower() or mark.end - mark.start == len(query) for mark in found
    )
    assert len(found) == count(text, query)


def test_places_takes_the_query_literally():
    assert [(mark.start, mark.end) for mark in places("a.c abc A.C", "a.c")] == [(0, 3), (8, 11)]
