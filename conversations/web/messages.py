"""One message on its own page: all of it, however large, in pieces that a browser can bear."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from conversations.models import Message
from conversations.vocabulary import Role
from conversations.web.blocks import Shown, shown, text_of
from conversations.web.card_html import part_html
from conversations.web.cards import who
from conversations.web.highlight import highlight
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.paging import is_key

#: Characters on one page: 200 KB of prose are about 60 KB compressed.
PIECE = 200_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a page of the message begins and ends, in characters of all its blocks in a row."""

    start: int
    stop: int


@member_required
@require_GET
def message_page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Its blocks, unfolded, 200,000 characters at a time."""
    rows = Message.objects.filter(workspace=request.workspace)
    message = get_object_or_404(rows.select_related("conversation", "dropped_by").defer("conversation__search"), pk=pk)
    total = sum(len(text_of(block)) for block in message.blocks)
    pages = max(1, -(-total // PIECE))
    number = _page_number(request.GET.get("page", "1"), pages)
    piece = Piece((number - 1) * PIECE, number * PIECE)
    context = {
        "message": message,
        "who": who(message),
        "parts": [
            part_html(part, opened=True)
            for part in piece_of(message.blocks, piece, prose=message.role == Role.ASSISTANT)
        ],
        "total": total,
        "number": number,
        "pages": pages,
    }
    return render_page(request, "messages/page.html", context)


def _page_number(text: str, pages: int) -> int:
    if not is_key(text) or not 1 <= int(text) <= pages:
        raise Http404("No such page of the message.")
    return int(text)


def piece_of(blocks: Sequence[dict[str, Any]], piece: Piece, *, prose: bool = False) -> list[Shown]:
    """The blocks that lie in the piece, the first and last perhaps in part."""
    return [_part(blocks[at], at, start, stop, prose=prose) for at, start, stop in _cuts(blocks, piece)]


def _cuts(blocks: Sequence[dict[str, Any]], piece: Piece) -> Iterator[tuple[int, int, int]]:
    """(number of the block, start and end in its text)."""
    at = 0
    for number, block in enumerate(blocks):
        length = len(text_of(block))
        start, stop = max(piece.start - at, 0), min(piece.stop - at, length)
        # A block without text stands where it stands: on the page that its neighbours' text is on.
        if start < stop or (length == 0 and piece.start <= at < piece.stop):
            yield number, start, stop
        at += length


def _part(block: dict[str, Any], at: int, start: int, stop: int, *, prose: bool) -> Shown:
    text = text_of(block)
    if block.get("type") != "tool_call":
        [said] = shown([{**block, "text": text[start:stop]}], whole=True, prose=prose)
        return replace(said, at=at, start=start)
    [call] = shown([block])
    return replace(call, body=highlight(text, start=start, end=stop), more=0, at=at, start=start)
