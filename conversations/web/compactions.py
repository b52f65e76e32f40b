"""Compactions: across conversations, and one with its summary beside what it dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from conversations.audit.queries import summary_of
from conversations.models import Compaction, Message, Workspace
from conversations.review.veiling import NO_VEIL, unveiled
from conversations.vocabulary import CLEARING_KINDS, CompactionKind, SummaryState
from conversations.web import queries
from conversations.web.bar import bar_of, compaction_of
from conversations.web.cards import Card, cards
from conversations.web.discussion import discussion_of
from conversations.web.dropped import look_for, page_asked_for
from conversations.web.facts import column_of
from conversations.web.filters import CompactionFilters
from conversations.web.highlight import Html, Mark, count, places
from conversations.web.inferred import inferred
from conversations.web.marks import block_marks, summary_marks
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.paging import Order, counted, page_of
from conversations.web.prose import render
from conversations.web.rows import compaction_rows
from conversations.web.veil import choosing, reviewed_column

NEWEST = Order("at", descending=True)
WORST = Order("audit__risk", descending=True)
BESIDE_SHOWN = 50  # of the kept, and of the restored messages
QUERY_LENGTH = 200
#: Characters of a summary on the page; the rest is on the page of its message. The longest real one seen has 38,000.
SUMMARY_SHOWN = 120_000

#: What a page without a summary says instead: (title, explanation).
NO_SUMMARY = {
    SummaryState.ENCRYPTED: (
        "The summary is encrypted",
        "Its provider returned it sealed: only the model can read it. What it kept cannot be known here.",
    ),
    SummaryState.FAILED: (
        "This compaction failed",
        "No summary came of it and nothing was replaced: the context went on as it was.",
    ),
    SummaryState.ABSENT: (
        "There is no summary in the data",
        "The source recorded that the context was compacted but not what was written in place of the messages.",
    ),
}
NO_SUMMARY_BY_KIND = {
    CompactionKind.TRUNCATION: (
        "Nothing was written in their place",
        "Messages were cut without a summary. What the agent still knows of them, it has from messages that stayed.",
    ),
    CompactionKind.TOOL_CLEAR: (
        "Tool results were cleared",
        "The API replaced old tool results by a placeholder. The calls and everything said around them stayed.",
    ),
    CompactionKind.MICROCOMPACT: (
        "Tool results were cleared",
        "The harness replaced old tool results by a placeholder. The calls and everything said around them stayed.",
    ),
}

#: Title and explanation of what stood or stands beside the summary.
KEPT = ("Kept as they were", "They stood before the compaction and stayed in the context, word for word.")
ABANDONED = (
    "On another branch",
    "Said before it and no longer in the context: edited, made anew or rewound, of a branch beside, or sent just once.",
)
RESTORED = (
    "Put back by the harness",
    "Files, skills or memory that the harness put into the context again after the compaction.",
)


@dataclass(frozen=True, slots=True)
class SummaryView:
    """The left side of the page: the summary's words, or why there are none."""

    body: Html | None
    title: str = ""
    explanation: str = ""
    characters: int = 0
    found: int = 0  # places of what was looked for
    left_out: int = 0  # characters


@member_required
@require_GET
def compaction_list(request: WorkspaceRequest) -> HttpResponse:
    """Across conversations, worst first; `?order=newest`, which also shows those that no auditor has read yet."""
    filters = CompactionFilters(request.GET, request.workspace)
    rows = filters.apply(queries.listed_compactions(request.workspace))
    newest = request.GET.get("order") == "newest" or filters.value("found") == "unaudited"
    tells = not newest or filters.value("found")  # where a row stands, or that it stands here
    ranked = unveiled(rows if newest else worst(rows, request.workspace), request.veil if tells else NO_VEIL)
    page = page_of(ranked, NEWEST if newest else WORST, request.GET)
    context = {
        "filters": filters,
        "newest": newest,
        "page": page,
        "rows": compaction_rows(page.rows, request.workspace, request.veil),
        "left_out": _left_out(request) if tells else 0,
        "waiting": not page.rows and not newest and rows.exists(),
        "count": counted(ranked, page),
    }
    return render_page(request, "compactions/list.html", context, partial="compactions/results.html")


def _left_out(request: WorkspaceRequest) -> int:
    """How many compactions such a list does not tell of; copies never stand there. No query without a veil."""
    originals = queries.listed_compactions(request.workspace)
    return originals.filter(pk__in=request.veil).count() if request.veil else 0


def worst(rows: QuerySet[Compaction], workspace: Workspace) -> QuerySet[Compaction]:
    """Those that were audited. The workspace is said twice: the order's index begins with it."""
    return rows.filter(audit__workspace=workspace)


@member_required
@require_GET
def compaction_page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Facts, summary and dropped messages; `?fact=` chooses one in all three, `?q=` finds in both texts."""
    compaction = compaction_of(request, pk)
    if compaction.copy_of_id in request.veil:  # a copy tells what its original, which is judged blindly, must not
        return redirect("compaction", request.workspace.slug, compaction.copy_of_id)
    query = request.GET.get("q", "").strip()[:QUERY_LENGTH]
    context = _context(request, compaction, query)
    return render_page(request, "compactions/page.html", context, partial="compactions/sides.html")


def _context(request: WorkspaceRequest, compaction: Compaction, query: str) -> dict[str, Any]:
    previous, following = queries.neighbours(compaction)
    rows = queries.dropped_by(compaction)
    bar = bar_of(request, compaction)
    column = reviewed_column(bar, compaction, request) or column_of(compaction, request.workspace, request.GET)
    dropped = look_for(query, rows, request.GET) if query else page_asked_for(rows, request.GET, column)
    said = {message.external_id for message in dropped.page.rows}
    clearing = compaction.kind in CLEARING_KINDS
    return {
        "compaction": compaction,
        "inferred": inferred(compaction),
        "conversation": compaction.conversation,
        "previous": previous,
        "following": following,
        "query": query,
        "search": dropped,
        "facts": column,
        "bar": choosing(bar, column, request),
        "discussion": discussion_of(request, compaction, bar, column),
        "api_query": urlencode({"workspace": request.workspace.slug}),
        "summary": summary_view(
            compaction, query, summary_marks(column.places, column.added_places, column.chosen_number, bar.own_places)
        ),
        "page": dropped.page,
        "dropped": cards(
            dropped.page.rows,
            request.workspace,
            query=query,
            marks=block_marks(column.places, column.chosen_number, said, bar.own_places),
            with_place=True,
        ),
        "beside": [] if clearing else _beside(request, compaction, following),
        "clearing": clearing,
        "reports": reports(compaction),
    }


@dataclass(frozen=True, slots=True)
class Beside:
    """Messages that stand in the context beside the summary; read only when somebody opens them."""

    name: str  # value of `?beside=`
    title: str
    note: str
    total: int
    cards: Sequence[Card] | None  # None: not asked for

    @property
    def part(self) -> str:
        """Which of them are shown, where not all are."""
        shown = len(self.cards or ())
        if self.total <= shown:
            return ""
        return f"The {'first' if self.name == 'restored' else 'last'} {shown} of {self.total:,}."


def _beside(request: WorkspaceRequest, compaction: Compaction, following: Compaction | None) -> list[Beside]:
    """What was kept and what was put back, each where there is any."""
    until = following.position if following else None
    restored = queries.restored_after(compaction, until).order_by("position", "id")
    asked = request.GET.get("beside")
    found = [
        Beside("kept", *KEPT, compaction.kept_count, _kept(request, compaction) if asked == "kept" else None),
        *_on_other_branches(request, compaction),
        Beside("restored", *RESTORED, restored.count(), _cards(request, restored) if asked == "restored" else None),
    ]
    return [each for each in found if each.total]


def _kept(request: WorkspaceRequest, compaction: Compaction) -> list[Card]:
    """Made only when asked for: which messages are on other branches stands in the source's record."""
    return _cards(request, queries.kept_by(compaction).order_by("-position", "-id"))[::-1]


def _on_other_branches(request: WorkspaceRequest, compaction: Compaction) -> list[Beside]:
    if not compaction.raw_abandoned:  # type: ignore[attr-defined] # annotated by `with_inferred`
        return []
    rows = queries.abandoned_by(compaction).order_by("-position", "-id")
    shown = _cards(request, rows)[::-1] if request.GET.get("beside") == "abandoned" else None
    return [Beside("abandoned", *ABANDONED, rows.count(), shown)]


def _cards(request: WorkspaceRequest, rows: QuerySet[Message]) -> list[Card]:
    return cards(list(rows[:BESIDE_SHOWN]), request.workspace, with_place=True)


def summary_view(compaction: Compaction, query: str = "", marks: Sequence[Mark] = ()) -> SummaryView:
    """Its words as prose with facts and found places marked, or an honest reason why there are none."""
    text = summary_of(compaction)
    if text:
        shown = text[:SUMMARY_SHOWN]
        return SummaryView(
            body=render(shown, [*places(shown, query), *marks]),
            characters=len(text),
            found=count(text, query),
            left_out=len(text) - len(shown),
        )
    state, kind = SummaryState(compaction.summary_state), CompactionKind(compaction.kind)
    title, explanation = NO_SUMMARY.get(state, NO_SUMMARY[SummaryState.ABSENT])
    if state is SummaryState.ABSENT and kind in NO_SUMMARY_BY_KIND:
        title, explanation = NO_SUMMARY_BY_KIND[kind]
    return SummaryView(body=None, title=title, explanation=explanation)


@dataclass(frozen=True, slots=True)
class Report:
    """One figure as the source says it and as the neighbouring requests show it."""

    label: str
    observed: int | None
    reported: int | None
    meaning: str


def reports(compaction: Compaction) -> Sequence[Report]:
    """Context tokens on both sides; the two figures differ, and the page says why."""
    return [
        Report(
            "before",
            compaction.tokens_before_observed,
            compaction.tokens_before_reported,
            "Observed: context and output of the last request before it.",
        ),
        Report(
            "after",
            compaction.tokens_after_observed,
            compaction.tokens_after_reported,
            "Observed: context of the first request after it. Reported figures often count the summary alone, without "
            "the system prompt, tools and what was put back.",
        ),
    ]
