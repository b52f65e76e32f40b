"""Markdown as people write it, as safe HTML: no HTML of theirs, no images, no links that run something."""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from conversations.web.highlight import Html, clean

#: Characters that are rendered; nobody writes more, and the time grows with the length.
LONGEST = 20_000
#: What people write stands below headings of the page.
_HEADING = {"h1": "h3", "h2": "h4", "h3": "h5"}


def _heading(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, _env: Any) -> str:
    tokens[index].tag = _HEADING.get(tokens[index].tag, "h6")
    return self.renderToken(tokens, index, options, _env)


def _link(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "nofollow noopener noreferrer")
    return self.renderToken(tokens, index, options, env)


def _parser() -> MarkdownIt:
    """Links are those that Markdown-It allows: neither javascript: nor data:, vbscript: or file:."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["image", "html_block", "html_inline"])
    for name, rule in (("heading_open", _heading), ("heading_close", _heading), ("link_open", _link)):
        parser.add_render_rule(name, rule)
    return parser


_PARSER = _parser()


def render_markdown(text: str) -> Html:
    """The first LONGEST characters as HTML; a line's end is one on the page, too. Headings begin at h3."""
    return Html(_PARSER.render(clean(text[:LONGEST])))
