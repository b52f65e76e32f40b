"""The ledger: entries with what became of each, the life-line of one over all conversations, retire and reinstate."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from conversations import tasks
from conversations.audit import ledger_editing
from conversations.audit.ledger_queries import COUNTED_AT_MOST, LOST, Counts, ToldCheck, counts_of
from conversations.errors import Refused
from conversations.models import Compaction, Conversation, LedgerCheck, LedgerEntry
from conversations.review.veiling import NO_VEIL, Veil
from conversations.vocabulary import LedgerOutcome, MemberRole
from conversations.web.facts import SIGNS
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required
from conversations.web.paging import Order, counted, page_of

NEWEST = Order("id", descending=True)
CONVERSATIONS_SHOWN = 25
COLUMNS_SHOWN = 30
#: `?show=` of the list → its tab.
SHOWN = {"": "in force", "retired": "retired", "all": "all"}
#: `?where=` of an entry's page.
WHERE = {"": "where it was told", "lost": "where it was lost", "all": "all conversations"}
_AMONG = {"lost": LOST, "all": tuple(LedgerOutcome)}
_TOLD = tuple(outcome for outcome in LedgerOutcome if outcome != LedgerOutcome.NOT_IN_CONTEXT)
#: Outcomes in words, where one stands for several.
WORDS = {LedgerOutcome.NOT_IN_CONTEXT: "not in this context"}
_SIGNS = {outcome: SIGNS[sign] for sign in SIGNS for outcome in LedgerOutcome if outcome.value == sign.value}
_SIGNS[LedgerOutcome.NOT_IN_CONTEXT] = "·"


def sign_of(outcome: str) -> str:
    """One character."""
    return _SIGNS[LedgerOutcome(outcome)]


def words_of(check: LedgerCheck | ToldCheck) -> str:
    """As in "altered, weakened"."""
    outcome = WORDS.get(LedgerOutcome(check.outcome), check.outcome)
    return f"{outcome}, {check.detail}" if check.detail else outcome


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    entry: LedgerEntry
    counts: Counts


@member_required
@require_GET
def ledger(request: WorkspaceRequest) -> HttpResponse:
    """Every entry with what became of it, the newest first; `?show=retired` or `all`."""
    show = request.GET.get("show", "")
    rows = _shown(LedgerEntry.objects.filter(workspace=request.workspace), show)
    page = page_of(rows, NEWEST, request.GET)
    found = counts_of(request.workspace.pk, [entry.pk for entry in page.rows], request.veil)
    context = {
        "page": page,
        "rows": [Row(entry, found[entry.pk]) for entry in page.rows],
        "count": counted(rows, page),
        "show": show,
        "tabs": SHOWN,
        "is_empty": not page.rows and not LedgerEntry.objects.filter(workspace=request.workspace).exists(),
        "may_write": may(request.membership, MemberRole.REVIEWER),
    }
    return render_page(request, "ledger/list.html", context, partial="ledger/results.html")


def _shown(rows: "QuerySet[LedgerEntry]", show: str) -> "QuerySet[LedgerEntry]":
    match show:
        case "all":
            return rows
        case "retired":
            return rows.exclude(retired_at=None)
        case _:
            return rows.filter(retired_at=None)


# --- one entry --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of the entry at one compaction; None: it was not checked there."""

    number: int
    check: LedgerCheck | None

    @property
    def sign(self) -> str:
        """One character; empty where it was not checked."""
        return sign_of(self.check.outcome) if self.check else ""

    @property
    def about(self) -> str:
        """For those who hover or listen."""
        return f"{words_of(self.check)}: {self.check.reason}" if self.check else ""


@dataclass(frozen=True, slots=True)
class Line:
    """The life of the entry in one conversation."""

    conversation: Conversation
    cells: Sequence[Cell]

    @property
    def kept(self) -> int:
        """At how many of the compactions shown."""
        return sum(cell.check is not None and cell.check.outcome == LedgerOutcome.KEPT for cell in self.cells)

    @property
    def fate(self) -> str:
        """How it stands after the last of them."""
        checks = [(cell.number, LedgerOutcome(cell.check.outcome)) for cell in self.cells if cell.check]
        told = [pair for pair in checks if pair[1] != LedgerOutcome.NOT_IN_CONTEXT]
        if not told:
            return "not in the context"
        number, outcome = told[-1]
        if outcome in LOST:
            return f"{outcome} at compaction {number}"
        return "still known" if outcome == LedgerOutcome.KEPT else "cannot be told"


@member_required
@require_GET
def ledger_entry(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What it says, how it fares, and its life-line in the conversations where it was told; `?where=lost` or `all`."""
    entry = _one(request, pk)
    where = request.GET.get("where", "")
    rows = conversations_of(entry, _AMONG.get(where, _TOLD), request.veil)
    page = page_of(rows.select_related("agent"), NEWEST, request.GET, size=CONVERSATIONS_SHOWN)
    lines, numbers = life_lines(entry, page.rows, request.veil)
    counts = counts_of(request.workspace.pk, [entry.pk], request.veil)[entry.pk]
    context = {
        "entry": entry,
        "counts": counts,
        "last_loss": _last_loss(counts),
        "page": page,
        "lines": lines,
        "numbers": numbers,
        "count": counted(rows, page) if page.rows else "0",
        "where": where,
        "tabs": WHERE,
        "may_write": may(request.membership, MemberRole.REVIEWER),
    }
    return render_page(request, "ledger/entry.html", context, partial="ledger/checked.html")


def _one(request: WorkspaceRequest, pk: int) -> LedgerEntry:
    people = ("created_by", "retired_by", "compaction", "compaction__conversation", "workspace")
    return get_object_or_404(LedgerEntry.objects.select_related(*people), workspace=request.workspace, pk=pk)


def conversations_of(
    entry: LedgerEntry, outcomes: Sequence[LedgerOutcome], veil: Veil = NO_VEIL
) -> "QuerySet[Conversation]":  # fmt: skip
    """Those in which it had one of these outcomes at some compaction."""
    checks = LedgerCheck.objects.filter(
        workspace=entry.workspace_id, entry=entry, conversation=OuterRef("pk"), outcome__in=outcomes
    )
    checks = checks.exclude(compaction__in=sorted(veil)) if veil else checks
    return Conversation.objects.filter(Exists(checks), workspace=entry.workspace_id)


def life_lines(
    entry: LedgerEntry, conversations: Sequence[Conversation], veil: Veil = NO_VEIL
) -> tuple[list[Line], list[int]]:  # fmt: skip
    """A line for each conversation, and the numbers of the compactions that they show: the last ones. One query."""
    checks = LedgerCheck.objects.filter(
        workspace=entry.workspace_id, entry=entry, conversation__in=[each.pk for each in conversations],
        compaction__number__gt=F("conversation__compaction_count") - COLUMNS_SHOWN,
    )  # fmt: skip
    found = {(check.conversation_id, check.compaction.number): check for check in checks.select_related("compaction")
             if check.compaction_id not in veil}  # fmt: skip
    last = max((number for _, number in found), default=0)
    numbers = list(range(max(1, min((number for _, number in found), default=1)), last + 1))
    lines = [Line(each, [Cell(number, found.get((each.pk, number))) for number in numbers]) for each in conversations]
    return lines, numbers


def _last_loss(counts: Counts) -> Compaction | None:
    if counts.last_loss is None:
        return None
    return Compaction.objects.select_related("conversation").filter(pk=counts.last_loss).first()


# --- in force or not --------------------------------------------------------------------------------------------------


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def retire_entry(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """No compaction is checked against it any more; what was found stays to be read."""
    entry = _one(request, pk)
    ledger_editing.retire(entry, request.user)
    messages.success(request, f"“{entry.name}” is retired. What became of it so far can still be read.")
    return redirect("ledger_entry", request.workspace.slug, entry.pk)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def reinstate_entry(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """It is in force again, and the compactions that came meanwhile are checked."""
    entry = _one(request, pk)
    try:
        if ledger_editing.reinstate(entry, request.user):
            tasks.check_later(entry)
        messages.success(request, f"“{entry.name}” is in force again.")
    except Refused as error:
        messages.error(request, error.message)
    return redirect("ledger_entry", request.workspace.slug, entry.pk)


def capped(number: int) -> str:
    """1,001 → "1,000+"."""
    return f"{COUNTED_AT_MOST:,}+" if number > COUNTED_AT_MOST else f"{number:,}"
