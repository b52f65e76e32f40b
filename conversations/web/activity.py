"""The activity log: who did what, newest first, for owners and admins; as a whole in JSON lines or CSV."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from conversations.models import Activity, Membership, Workspace
from conversations.people.activity import record_activity
from conversations.people.activity_export import CHUNK, as_csv, as_json_lines, told
from conversations.vocabulary import MemberRole
from conversations.web.filters import Choice
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.paging import Order, is_key, page_of

_ORDER = Order("at", descending=True)
_MOST_PEOPLE = 200
#: Whose kinds of action are offered to filter by: reading all of a log of years would take longer than the page.
_LOOKED_THROUGH = 2_000
_FORMATS = {"jsonl": (as_json_lines, "application/x-ndjson"), "csv": (as_csv, "text/csv")}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the log as it is shown."""

    row: Activity
    action: str
    detail: str


@member_required
@role_required(MemberRole.ADMIN)
@require_GET
def activity(request: WorkspaceRequest) -> HttpResponse:
    """A page of it, filtered by person and by action."""
    page = page_of(_rows(request), _ORDER, request.GET)
    context = {
        "page": page,
        "lines": [Line(row, said(row.action), told(row.detail)) for row in page.rows],
        "people": _people(request.workspace, request.GET.get("person", "")),
        "actions": _actions(request.workspace, request.GET.get("action", "")),
        "query": request.GET.urlencode(),
        "is_filtered": bool(request.GET.get("person") or request.GET.get("action")),
    }
    return render_page(request, "people/activity.html", context, partial="people/activity_results.html")


@member_required
@role_required(MemberRole.ADMIN)
@require_GET
def activity_export(request: WorkspaceRequest, kind: str) -> HttpResponseBase:
    """Everything that the filters leave. That it was taken is itself written down."""
    if kind not in _FORMATS:
        raise Http404("There is no such format.")
    record_activity(workspace=request.workspace, actor=request.user, action="activity.exported", detail={"as": kind})
    write, media_type = _FORMATS[kind]
    rows = _rows(request).order_by(*_ORDER.names()).iterator(chunk_size=CHUNK)
    response = StreamingHttpResponse(write(rows), content_type=f"{media_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="activity-{request.workspace.slug}.{kind}"'
    return response


def said(action: str) -> str:
    """member.role_changed → "member role changed"."""
    return action.replace(".", " ").replace("_", " ")


def _rows(request: WorkspaceRequest) -> QuerySet[Activity]:
    rows = Activity.objects.filter(workspace=request.workspace)
    if is_key(request.GET.get("person", "")):
        rows = rows.filter(user=int(request.GET["person"]))
    if action := request.GET.get("action"):
        rows = rows.filter(action=action)
    return rows


def _people(workspace: Workspace, chosen: str) -> list[Choice]:
    rows = Membership.objects.filter(workspace=workspace).select_related("user").order_by("user__email")
    return [Choice(str(row.user_id), str(row.user), str(row.user_id) == chosen) for row in rows[:_MOST_PEOPLE]]


def _actions(workspace: Workspace, chosen: str) -> list[Choice]:
    recent = Activity.objects.filter(workspace=workspace).order_by(*_ORDER.names())[:_LOOKED_THROUGH]
    kinds = set(Activity.objects.filter(pk__in=recent.values("pk")).values_list("action", flat=True).distinct())
    return [Choice(kind, said(kind), kind == chosen) for kind in sorted(kinds | ({chosen} if chosen else set()))]
