import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.web.markdown import LONGEST, render_markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**Look** at `id`s", "<p><strong>Look</strong> at <code>id</code>s</p>\n"),
        ("one\ntwo", "<p>one<br />\ntwo</p>\n"),
        ("# Title", "<h3>Title</h3>\n"),
        ("#### Title", "<h6>Title</h6>\n"),
        ("- a", "<ul>\n<li>a</li>\n</ul>\n"),
        ("[x](https://example.org)", '<p><a href="https://example.org" rel="nofollow noopener noreferrer">x</a></p>\n'),
        ("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>\n"),
        ("", ""),
    ],
)
def test_markdown_is_rendered(text, html):
    assert render_markdown(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://example.org/x.png)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>)",
        "[x](&#106;avascript:alert(1))",
        "<javascript:alert(1)>",
        '[x](https://example.org/"onclick="alert(1))',
        '[x](https://example.org "\\"onclick=alert(1)")',
    ],
)
def test_nothing_of_it_acts(text):
    assert harmless(render_markdown(text))


@given(st.text(alphabet=st.sampled_from("<>\"'&`*_#[]()!-|\n :/ajx"), max_size=200))
def test_nothing_of_anything_acts(text):
    assert harmless(render_markdown(text))


def test_what_cannot_be_seen_is_shown():
    assert "\u202e" not in render_markdown("abc\u202edef")


def test_long_texts_are_cut():
    assert len(render_markdown("a" * (LONGEST + 100))) < LONGEST + 10


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


KNOWN = {"p", "br", "strong", "em", "s", "code", "pre", "ul", "ol", "li", "a", "blockquote", "hr", "table", "thead",
         "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"}  # fmt: skip


def harmless(html):
    tags = Tags()
    tags.feed(html)
    for tag, attrs in tags.found:
        address = attrs.get("href") or ""
        if tag not in KNOWN or not attrs.keys() <= {"href", "rel", "title", "class", "start", "style"}:
            return False
        if re.match(r"\s*(javascript|data|vbscript|file):", address, re.IGNORECASE):
            return False
    return True
