"""Make and change entries of the ledger, by hand or of a finding, with what would have become of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from conversations import tasks
from conversations.audit.ledger import Check
from conversations.audit.ledger_editing import promoted, save_entry
from conversations.audit.ledger_queries import LOST, entry_value, newest_compactions
from conversations.audit.ledger_services import PREVIEWED, preview
from conversations.errors import Refused
from conversations.models import Agent, Compaction, Finding, LedgerEntry, Workspace
from conversations.review.desk import refuse_the_blind
from conversations.vocabulary import LedgerOutcome, MemberRole
from conversations.web.ledger import WORDS, sign_of
from conversations.web.ledger_forms import LedgerForm
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.paging import is_key

#: Names offered while typing.
_MOST_NAMES = 200


@member_required
@role_required(MemberRole.REVIEWER)
@require_http_methods(["GET", "POST"])
def new_entry(request: WorkspaceRequest) -> HttpResponse:
    """The form, empty or, with `?compaction=&fact=`, made of a finding."""
    finding = _finding(request)
    entry = promoted(finding) if finding else LedgerEntry(workspace=request.workspace)
    entry.workspace, entry.created_by = request.workspace, request.user
    return _edit(request, entry, finding)


def _finding(request: WorkspaceRequest) -> Finding | None:
    """The one to promote. Raises Http404; PermissionDenied where the person judges its compaction blindly."""
    asked = request.POST if request.method == "POST" else request.GET
    compaction, fact = asked.get("compaction", ""), asked.get("fact", "")
    if not compaction or not fact:
        return None
    rows = Finding.objects.filter(workspace=request.workspace).select_related("conversation__agent", "compaction")
    finding = get_object_or_404(rows, compaction=int(compaction) if is_key(compaction) else 0, fact_id=fact)
    try:
        refuse_the_blind(request.user, finding.compaction)
    except Refused as error:
        raise PermissionDenied(error.message) from None
    return finding


@member_required
@role_required(MemberRole.REVIEWER)
@require_http_methods(["GET", "POST"])
def edit_entry(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same form for one that is there."""
    rows = LedgerEntry.objects.select_related("workspace")
    return _edit(request, get_object_or_404(rows, workspace=request.workspace, pk=pk), None)


def _edit(request: WorkspaceRequest, entry: LedgerEntry, finding: Finding | None) -> HttpResponse:
    """Filled in by a POST, which saves; or by the address, which is the preview's."""
    name = entry.name
    form = _form(request, entry)
    if request.method == "POST" and form.is_valid() and (saved := _save(request, form)):
        return redirect("ledger_entry", request.workspace.slug, saved.pk)
    context = {
        "form": form,
        "entry": entry,
        "title": name,
        "finding": finding,
        "shown": _preview(form),
        **_names(request.workspace),
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "ledger/edit.html", context, partial="ledger/preview.html", status=status)


def _form(request: WorkspaceRequest, entry: LedgerEntry) -> LedgerForm:
    if request.method == "POST":
        return LedgerForm(request.POST, instance=entry)
    return LedgerForm(request.GET, instance=entry) if "text" in request.GET else LedgerForm(instance=entry)


def _save(request: WorkspaceRequest, form: LedgerForm) -> LedgerEntry | None:
    """None where somebody else took the name at the same moment; the form then says so."""
    entry: LedgerEntry = form.instance
    try:
        again = save_entry(entry, request.user)
    except IntegrityError as error:
        if "ledger_entry_name_once" not in str(error):
            raise
        form.add_error("name", "There is an entry of this name. Choose another.")
        return None
    if again:
        tasks.check_later(entry)
    said = "The compactions that are there are being checked." if again else "Nothing has to be checked anew."
    messages.success(request, f"“{entry.name}” is in the ledger. {said}")
    return entry


# --- what would have become of it -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """The last compactions, held against an entry that is not stored yet."""

    kind: str
    checks: Sequence[tuple[Compaction, Check]]
    in_all: int  # there were so many to look at

    @property
    def words(self) -> str:
        """As in "kept 7, forgotten 2"."""
        numbers = Counter(check.outcome for _, check in self.checks)
        told = [
            f"{WORDS.get(outcome, outcome.value)} {numbers[outcome]}" for outcome in LedgerOutcome if numbers[outcome]
        ]
        return ", ".join(told)

    @property
    def losses(self) -> list[tuple[str, Compaction, Check]]:
        """With their signs, the newest first."""
        return [(sign_of(check.outcome), row, check) for row, check in self.checks if check.outcome in LOST]

    @property
    def is_cut(self) -> bool:
        """Whether time ran out before the last of them."""
        return len(self.checks) < self.in_all


def _preview(form: LedgerForm) -> Shown | None:
    """None while the form is not whole. By the very function that checks compactions when they are audited."""
    entry: LedgerEntry = form.instance
    if not form.is_valid() if form.is_bound else not entry.text:
        return None
    rows = newest_compactions(entry, PREVIEWED)
    return Shown(entry.kind, preview(entry_value(entry), rows), len(rows))


def _names(workspace: Workspace) -> dict[str, list[str]]:
    """Offered while typing."""
    agents = list(Agent.objects.filter(workspace=workspace).order_by("name", "version")[:_MOST_NAMES])
    return {
        "agents": sorted({agent.name for agent in agents if agent.name}),
        "versions": sorted({agent.version for agent in agents if agent.version}),
    }
