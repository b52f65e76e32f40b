"""Incidents: the list of them above the rules, one incident's page, and what people do with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from conversations.alerts import handling
from conversations.alerts.handling import Hand
from conversations.alerts.messages import evidence_path
from conversations.alerts.silences import current_silences, silenced_until
from conversations.models import Incident, User, Workspace
from conversations.vocabulary import IncidentState, MemberRole, Severity
from conversations.web.filters import Chip, Choice
from conversations.web.incident_forms import HandlingForm
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required
from conversations.web.paging import Order, counted, is_key, page_of

NEWEST = Order("opened_at", descending=True)
#: Lines of a timeline that are shown; an incident has a handful.
MOST_EVENTS = 500
_STATES = {"": "open", "resolved": "resolved", "all": "all"}


@dataclass(frozen=True, slots=True)
class IncidentFilters:
    """What the query string asks for; nonsense is ignored, so that an old link shows something."""

    state: str = ""  # "": whatever is not resolved
    severity: str = ""
    rule: str = ""
    mine: bool = False

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "IncidentFilters":
        """Of a query string."""
        state, severity, rule = (params.get(name, "") for name in ("state", "severity", "rule"))
        return cls(
            state=state if state in _STATES else "",
            severity=severity if severity in set(Severity) else "",
            rule=rule if is_key(rule) else "",
            mine=params.get("mine") == "1",
        )

    def apply(self, rows: QuerySet[Incident], user: User) -> QuerySet[Incident]:
        """The rows that are left."""
        if self.state == "resolved":
            rows = rows.filter(state=IncidentState.RESOLVED)
        elif not self.state:
            rows = rows.exclude(state=IncidentState.RESOLVED)
        wanted: dict[str, Any] = {
            "severity": self.severity,
            "rule": self.rule,
            "assigned_to": user if self.mine else "",
        }
        return rows.filter(**{name: value for name, value in wanted.items() if value})

    @property
    def states(self) -> list[Choice]:
        """The tabs."""
        return [Choice(value, label, chosen=value == self.state) for value, label in _STATES.items()]

    @property
    def severities(self) -> list[Choice]:
        """The select."""
        return [Choice(each.value, each.value, chosen=each.value == self.severity) for each in reversed(Severity)]

    @property
    def chips(self) -> list[Chip]:
        """One for each filter in force, the state apart, which is a tab."""
        found = [
            Chip("severity", f"severity: {self.severity}") if self.severity else None,
            Chip("rule", "one rule") if self.rule else None,
            Chip("mine", "assigned to me") if self.mine else None,
        ]
        return [chip for chip in found if chip]


@member_required
@require_GET
def alerts(request: WorkspaceRequest) -> HttpResponse:
    """Open incidents, and behind tabs all others."""
    return _list(request, HandlingForm(request.workspace))


def _list(request: WorkspaceRequest, form: HandlingForm) -> HttpResponse:
    filters = IncidentFilters.read(request.GET)
    rows = filters.apply(listed_incidents(request.workspace), request.user)
    page = page_of(rows, NEWEST, request.GET)
    context = {
        "filters": filters,
        "page": page,
        "count": counted(rows, page),
        "may_handle": may(request.membership, MemberRole.REVIEWER),
        "form": form,
        "members": form.members,
        "now": timezone.now(),
    }
    status = 422 if form.errors else 200
    return render_page(request, "alerts/page.html", context, partial="alerts/results.html", status=status)


def listed_incidents(workspace: Workspace) -> QuerySet[Incident]:
    """With what a row shows."""
    return Incident.objects.filter(workspace=workspace).select_related("rule", "budget", "assigned_to", "workspace")


@member_required
@require_GET
def incident(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What happened, who was told, and the places in the data."""
    row = get_object_or_404(listed_incidents(request.workspace), pk=pk)
    return _page(request, row, HandlingForm(request.workspace))


def _page(request: WorkspaceRequest, row: Incident, form: HandlingForm) -> HttpResponse:
    now = timezone.now()
    context = {
        "incident": row,
        "evidence": [
            each | {"path": evidence_path(each["kind"], each["id"], request.workspace)} for each in row.evidence
        ],
        "events": list(row.events.order_by("id")[:MOST_EVENTS]),
        "deliveries": list(row.deliveries.select_related("channel").order_by("id")[:MOST_EVENTS]),
        "silent_until": silenced_until(row, current_silences(request.workspace, now), now) if row.is_open else None,
        "is_snoozed": row.is_open and row.snoozed_until is not None and row.snoozed_until > now,
        "may_handle": may(request.membership, MemberRole.REVIEWER),
        "form": form,
        "members": form.members,
    }
    return render_page(request, "alerts/incident.html", context, status=422 if form.errors else 200)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def change_incidents(request: WorkspaceRequest) -> HttpResponse:
    """Do one thing to one or several of them; back to where it was asked."""
    ids = [int(text) for text in request.POST.getlist("incident") if is_key(text)]
    rows = list(listed_incidents(request.workspace).filter(pk__in=ids))
    if not rows:
        messages.warning(request, "Choose the incidents first.")
        return redirect("alerts", request.workspace.slug)
    form = HandlingForm(request.workspace, request.POST)
    on_page = request.POST.get("page") == "incident" and len(rows) == 1
    if not form.is_valid():
        return _page(request, rows[0], form) if on_page else _list(request, form)
    done = _do(request, form, [row.pk for row in rows])
    messages.success(request, _said(form.cleaned_data["action"], len(done)))
    if on_page:
        return redirect("incident", request.workspace.slug, rows[0].pk)
    return redirect("alerts", request.workspace.slug)


def _do(request: WorkspaceRequest, form: HandlingForm, ids: list[int]) -> list[Incident]:
    workspace, data = request.workspace, form.cleaned_data
    hand = Hand(request.user, timezone.now())
    match data["action"]:
        case "acknowledge":
            return handling.acknowledge(workspace, ids, hand)
        case "resolve":
            return handling.resolve(workspace, ids, hand, data["text"])
        case "snooze":
            return handling.snooze(workspace, ids, hand, hand.at + data["duration"])
        case "wake":
            return handling.wake(workspace, ids, hand)
        case "assign":
            return handling.assign(workspace, ids, hand, data["user"])
    return handling.comment(workspace, ids, hand, data["text"])


def _said(action: str, count: int) -> str:
    past = {
        "acknowledge": "Acknowledged",
        "resolve": "Resolved",
        "snooze": "Snoozed",
        "wake": "Ended the snooze",
        "assign": "Assigned",
    }
    if action == "comment":
        return "Your comment is there."
    return f"{past[action]}: {count} incident{'' if count == 1 else 's'}."
