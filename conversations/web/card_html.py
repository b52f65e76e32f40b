"""Blocks of a message as HTML. Written out here: those of 90 messages as templates took 40 ms of a page.

`data-block` and `data-start` say which block of its message a piece of text on the page is, and where in its text the
piece begins. Bodies are `Html` already and labels are clean; everything else is ours.
"""

from html import escape

from conversations.web.blocks import Shown
from conversations.web.highlight import Html


def part_html(part: Shown, *, opened: bool = False) -> Html:
    """One block; what is folded is `opened` on the message's own page."""
    if part.kind == "image":
        return Html(f'<p class="muted small">[{escape(part.line)}]</p>')
    if part.folded:
        return _folded(part, opened=opened or part.opened)
    if part.prose:
        return Html(f'<div class="prose" {_place(part)}>{part.body}{"<p>…</p>" if part.more else ""}</div>')
    return Html(f'<div class="said" {_place(part)}>{part.body}{"…" if part.more else ""}</div>')


def _folded(part: Shown, *, opened: bool) -> Html:
    if not part.length:
        return Html(f'<p class="muted small"><strong>{escape(part.label)}</strong> {escape(part.line)}</p>')
    error = ' <span class="badge critical">error</span>' if part.is_error else ""
    return Html(
        f'<details class="fold"{" open" if opened else ""}><summary>'
        f'<span class="fold-kind">{escape(part.label)}</span>{error} <span class="fold-line">{escape(part.line)}</span>'
        f' <span class="fold-size">{part.length:,}</span></summary>'
        f"<pre {_place(part)}>{part.body}{'…' if part.more else ''}</pre></details>"
    )


def _place(part: Shown) -> str:
    return f'data-block="{part.at}" data-start="{part.start}"'
