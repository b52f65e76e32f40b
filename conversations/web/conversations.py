"""Conversations: the list, one with its timeline, compactions and messages, and the figure's data."""

from collections.abc import Sequence
from datetime import timedelta
from math import isfinite
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations.audit.ledger_queries import ledger_counts
from conversations.ingest.segments import is_failed
from conversations.models import Compaction, Conversation, Message, Workspace
from conversations.review.veiling import NO_VEIL, Veil
from conversations.spending.queries import savings_of_conversation, steps_in
from conversations.vocabulary import CLEARING_KINDS
from conversations.web import queries
from conversations.web.addresses import Addresses
from conversations.web.cards import Card, cards
from conversations.web.figures import token_timeline
from conversations.web.filters import ConversationFilters
from conversations.web.findings import audit_of, tallies_of
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.paging import Order, Page, counted, is_key, page_around, page_of
from conversations.web.rows import conversation_rows, own_compaction_rows
from conversations.web.sparklines import sparkline_svg, top_of
from conversations.web.timeline import Cut, caption
from conversations.web.wording import LOSSES, tally
from conversations.web.would import freed_in_small, freed_of, would_line

NEWEST = Order("last_at", descending=True)
IN_ORDER = Order("position")
#: Compactions listed and drawn on the page of a conversation. The largest real one seen has 30.
MOST_COMPACTIONS = 200
MESSAGES_SHOWN = 40
#: A conversation that was heard of within this time may go on at any moment.
LIVE = timedelta(minutes=15)


@member_required
@require_GET
def conversation_list(request: WorkspaceRequest) -> HttpResponse:
    """Newest activity first."""
    filters = ConversationFilters(request.GET, request.workspace)
    rows = filters.apply(queries.listed_conversations(request.workspace))
    search = filters.search()
    page = page_of(rows, NEWEST, request.GET, first=search.first if search else None)
    context = {
        "filters": filters,
        "page": page,
        "rows": conversation_rows(page.rows, request.workspace, request.veil),
        "count": counted(search.all(rows) if search else rows, page),
        "models": sorted({name for conversation in page.rows for name in conversation.model_names}),
        "tags": sorted({name for conversation in page.rows for name in conversation.tags}),
    }
    return render_page(request, "conversations/list.html", context, partial="conversations/results.html")


def one_of(request: HttpRequest, pk: int) -> Conversation:
    """The conversation, if it is this workspace's."""
    rows = queries.conversations_of(request.workspace).select_related("workspace")  # type: ignore[attr-defined]
    also = {"has_cache": queries.has_cache_counts(), "told_ledger": ledger_counts(getattr(request, "veil", NO_VEIL))}
    return get_object_or_404(rows.annotate(**also), pk=pk)


@member_required
@require_GET
def conversation_page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Timeline, compactions, messages; `?part=strip` is its figures alone, which ask again while the agent works."""
    conversation = one_of(request, pk)
    if request.GET.get("part") == "strip":
        return render_page(request, "conversations/strip.html", _strip(conversation, request.veil))
    compactions = queries.compactions_in(conversation, MOST_COMPACTIONS)
    cuts = cuts_of(compactions, request.workspace, request.veil)
    page, around = _messages(conversation, request)
    parent = queries.parent_of(conversation)
    above = freed_in_small(conversation.sparkline, [each for each in compactions if not is_failed(each.summary_state)])
    context = _strip(conversation, request.veil) | {
        "compactions": own_compaction_rows(compactions, request.workspace, request.veil),
        "compactions_left_out": max(conversation.compaction_count - len(compactions), 0),
        "name": conversation.called(parent),
        "parent": parent,
        "children": list(queries.children_of(conversation)[:21]),
        "preview": sparkline_svg(
            conversation.sparkline, label="context tokens per request", css="preview", above=above
        ),
        "preview_top": top_of(conversation.sparkline, above) or conversation.tokens_peak,
        "caption": caption(
            requests=_turns(conversation), peak=conversation.tokens_peak, now=conversation.tokens_now, cuts=cuts
        ),
        "saved": savings_of_conversation(conversation),
        "has_cache": conversation.has_cache,  # type: ignore[attr-defined] # annotated in `one_of`
        "by": "time" if request.GET.get("by") == "time" else "request",
        "show": "cache" if request.GET.get("show") == "cache" else "tokens",
        "page": page,
        "around": around,
        "entries": _entries(cards(page.rows, request.workspace, current=around), compactions, page),
    }
    return render_page(request, "conversations/page.html", context, partial="conversations/messages.html")


def _strip(conversation: Conversation, veil: Veil) -> dict[str, Any]:
    found = tallies_of([conversation], veil).get(conversation.pk)
    return {
        "conversation": conversation,
        "live": conversation.last_at > timezone.now() - LIVE,
        "tally": found and tally(found, LOSSES),
    }


def _turns(conversation: Conversation) -> int:
    """Turns with a known context; the sparkline has counted them."""
    return int(conversation.sparkline.get("count") or conversation.request_count)


def cuts_of(compactions: Sequence[Compaction], workspace: Workspace, veil: Veil = NO_VEIL) -> list[Cut]:
    """As the timeline draws them."""
    addresses = Addresses.of(workspace)
    return [_cut(each, addresses.compaction(each.pk), is_veiled=each.pk in veil) for each in compactions]


def _cut(compaction: Compaction, href: str, *, is_veiled: bool) -> Cut:
    before, after = compaction.tokens_before, compaction.tokens_after
    known = f": {before:,} → {after:,} tokens" if before is not None and after is not None else ""
    audit = None if is_veiled else audit_of(compaction)
    harmful = audit.harmful if audit else 0
    found = f", {audit.forgotten} forgotten" if audit and audit.forgotten else ""
    found += f", {harmful} did harm" if harmful else ""
    return Cut(
        number=compaction.number,
        position=compaction.position,
        at=compaction.at,
        before=before,
        after=after,
        href=href,
        label=f"Compaction {compaction.number}{known}{found}",
        clearing=compaction.kind in CLEARING_KINDS,
        harmful=bool(harmful),
    )


def _messages(conversation: Conversation, request: WorkspaceRequest) -> tuple[Page[Message], int | None]:
    """The page asked for: around a message, or the one after or before a cursor."""
    rows = queries.messages_of(conversation)
    around = request.GET.get("around", "")
    target = rows.filter(pk=int(around)).first() if is_key(around) else None
    if target is None:
        return page_of(rows, IN_ORDER, request.GET, size=MESSAGES_SHOWN), None
    return page_around(rows, IN_ORDER, target, size=MESSAGES_SHOWN), target.pk


def _entries(shown: Sequence[Card], compactions: Sequence[Compaction], page: Page[Message]) -> list[Card | Compaction]:
    """Messages with the compactions that happened between them; on the last page also those after them."""
    if not shown:
        return list(compactions)
    floor = queries.position_before(shown[0].message) if page.previous else None
    waiting = [c for c in compactions if floor is None or c.position > floor]
    entries: list[Card | Compaction] = []
    for card in shown:
        while waiting and waiting[0].position <= card.message.position:
            entries.append(waiting.pop(0))
        entries.append(card)
    return entries if page.next else [*entries, *waiting]


@member_required
@require_GET
def conversation_figure(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The timeline as a Plotly figure; `?by=time`, `?show=cache`, `?from=&to=` request numbers to draw in full."""
    conversation = one_of(request, pk)
    cache = request.GET.get("show") == "cache"
    compactions = queries.compactions_in(conversation, MOST_COMPACTIONS)
    by_time = request.GET.get("by") == "time"
    points = queries.points_of(conversation, times=by_time, cache=cache)
    figure = token_timeline(
        points,
        cuts_of(compactions, request.workspace, request.veil),
        by_time=by_time,
        cache=cache,
        limits=_limits(conversation, compactions),
        within=_range(request),
        would=would_line(points, freed_of(points, steps_in(conversation))),
    )
    return JsonResponse(figure)


def _limits(conversation: Conversation, compactions: Sequence[Compaction]) -> list[tuple[str, int]]:
    """What the context could hold, and where compaction was set to begin."""
    limits = {("trigger", c.trigger_tokens) for c in compactions if c.trigger_tokens}
    if conversation.context_window:
        limits.add(("context window", conversation.context_window))
    return sorted(limits, key=lambda limit: limit[1])[:4]


def _range(request: WorkspaceRequest) -> tuple[float, float] | None:
    try:
        edges = float(request.GET["from"]), float(request.GET["to"])
    except (KeyError, ValueError):
        return None
    return edges if all(map(isfinite, edges)) else None
