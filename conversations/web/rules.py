"""Alert rules: the editor with its preview on the past, switching, copying and deleting them, and rules as YAML."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations.alerts.channel_services import try_channel
from conversations.alerts.channels.answers import Failed
from conversations.alerts.definition import Definition
from conversations.alerts.evaluation import definition_of, unknown_in
from conversations.alerts.metrics import METRICS, unit_of
from conversations.alerts.preview import DAYS, Preview, is_long, preview
from conversations.alerts.queries import Agents
from conversations.alerts.sentences import sentence
from conversations.alerts.services import FIELDS, delete_rule, save_rule, switch_rule
from conversations.alerts.spec import export_rules, import_rules
from conversations.alerts.starting import BY_KEY, STARTS
from conversations.errors import BadInput
from conversations.models import Channel, Conversation, LedgerEntry, Rule, Workspace
from conversations.vocabulary import Aggregation, MemberRole
from conversations.web.filters import Choice
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required, wants_partial
from conversations.web.paging import is_key
from conversations.web.rule_figure import shown_preview
from conversations.web.rule_forms import CHOOSING, DETAILS, ImportForm, RuleForm

#: Names offered while typing, and conversations whose models are looked at for that.
_MOST_NAMES, _LOOKED_AT = 200, 500


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def new_rule(request: WorkspaceRequest) -> HttpResponse:
    """The editor, empty, or with one of the rules to begin with, or with a copy."""
    rule = Rule(workspace=request.workspace, metric="forgotten", aggregation=Aggregation.EACH, created_by=request.user)
    start, copied = BY_KEY.get(request.GET.get("start", "")), request.GET.get("copy", "")
    if start:
        for name, value in {"name": start.name, **start.fields}.items():
            setattr(rule, name, value)
    elif is_key(copied):
        original = get_object_or_404(Rule, workspace=request.workspace, pk=copied)
        for name in FIELDS:
            setattr(rule, name, getattr(original, name))
        rule.name = f"{rule.name[:110]} (copy)"
    return _edit(request, rule)


@member_required
@require_http_methods(["GET", "POST"])
def rule(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The editor of one that is there; to those who may not change it, what it says."""
    row = get_object_or_404(Rule.objects.select_related("progress"), workspace=request.workspace, pk=pk)
    if request.method == "POST" and not may(request.membership, MemberRole.ADMIN):
        raise PermissionDenied("Only an admin of this workspace may do this.")
    return _edit(request, row)


def _edit(request: WorkspaceRequest, row: Rule) -> HttpResponse:
    form = _form(request, row)
    if request.method == "POST" and form.is_valid():
        return _stored(request, form)
    context = _context(request, row, form)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "rules/edit.html", context, partial="rules/preview.html", status=status)


def _form(request: WorkspaceRequest, row: Rule) -> RuleForm:
    """Filled in by a POST; or by the address, which is the preview's."""
    if request.method == "POST":
        return RuleForm(request.POST, instance=row)
    return RuleForm(request.GET, instance=row) if "metric" in request.GET else RuleForm(instance=row)


def _stored(request: WorkspaceRequest, form: RuleForm) -> HttpResponse:
    rule: Rule = form.instance
    is_new = rule.pk is None
    if is_new:
        rule.enabled = "off" not in request.GET
    save_rule(rule, form.cleaned_data["channels"], request.user)
    state = "It is evaluated every half minute." if rule.enabled else "It is switched off."
    messages.success(request, f"The rule “{rule.name}” is saved. {state}")
    if "channel" in request.GET:
        return redirect(reverse("channels", args=[request.workspace.slug]) + f"?rule={rule.pk}")
    return redirect("alerts", request.workspace.slug)


def _context(request: WorkspaceRequest, row: Rule, form: RuleForm) -> dict[str, Any]:
    days = _days(request)
    can_preview = form.is_valid() if form.is_bound else _has_threshold(row)
    definition = definition_of(row) if can_preview else None
    agents = Agents.of(request.workspace)
    found, waits = _preview(request, definition, days, agents) if definition else (None, False)
    return {
        "form": form,
        "rule": row,
        "progress": getattr(row, "progress", None) if row.pk else None,
        "sentence": sentence(definition) if definition else "",
        "days": days,
        "ranges": [Choice(str(each), f"{each} days", chosen=each == days) for each in DAYS],
        "shown": shown_preview(found) if found else None,
        "waits": waits,
        "ledger_is_empty": found and not found.matched and _needs_ledger(request.workspace, found.definition),
        "metric": METRICS.get(str(form["metric"].value())),
        "unit": unit_of(METRICS[definition.metric], definition.aggregation, definition.direction) if definition else "",
        "starts": STARTS,
        "choosing": [form[name] for name in CHOOSING],
        "details": [form[name] for name in DETAILS],
        "may_save": may(request.membership, MemberRole.ADMIN),
        **_names(request.workspace, agents),
    }


def _preview(
    request: WorkspaceRequest, definition: Definition, days: int, agents: Agents
) -> tuple[Preview | None, bool]:
    """And whether it comes later: one that takes seconds is asked for by the page itself, which is shown without."""
    now = timezone.now()
    until = now - definition.settle
    long = is_long(request.workspace, definition, until - timedelta(days=days), until)
    if long and not (wants_partial(request) or request.method == "POST" or "wait" in request.GET):
        return None, True
    return preview(request.workspace, definition, days, now, agents, long=long), False


def _needs_ledger(workspace: Workspace, definition: Definition) -> bool:
    """Whether it looks at the ledger, in which there is nothing yet."""
    looks = METRICS[definition.metric].takes_entry
    return looks and not LedgerEntry.objects.active().filter(workspace=workspace).exists()


def _has_threshold(row: Rule) -> bool:
    return not unknown_in(row) and (row.warning is not None or row.critical is not None)


def _days(request: WorkspaceRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in {str(each) for each in DAYS} else DAYS[1]


def _names(workspace: Workspace, agents: Agents) -> dict[str, list[str]]:
    """Offered while typing."""
    recent = Conversation.objects.filter(workspace=workspace).order_by("-last_at", "-id")
    models = {name for names in recent.values_list("model_names", flat=True)[:_LOOKED_AT] for name in names}
    return {
        "agents": sorted(agents.by_name)[:_MOST_NAMES],
        "versions": sorted({version for _, version in agents.names.values() if version})[:_MOST_NAMES],
        "models": sorted(models)[:_MOST_NAMES],
    }


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def try_rule(request: WorkspaceRequest) -> HttpResponse:
    """Send a test by the channels that the form chooses; back to the form, as it was filled in."""
    ids = [pk for pk in request.POST.getlist("channels") if is_key(pk)]
    channels = Channel.objects.filter(workspace=request.workspace, pk__in=ids).order_by("name")
    for channel in channels:
        result = try_channel(channel, timezone.now())
        if isinstance(result, Failed):
            messages.error(request, f"The test by “{channel.name}” failed: {result.reason}")
        else:
            messages.success(request, f"The test by “{channel.name}” is sent.")
    if not channels:
        messages.error(request, "Choose the channels that a test is to be sent by.")
    query = request.POST.copy()
    query.pop("csrfmiddlewaretoken", None)
    return redirect(f"{_editor(request)}?{query.urlencode()}")


def _editor(request: WorkspaceRequest) -> str:
    pk = request.GET.get("rule", "")
    if is_key(pk):
        return reverse("rule", args=[request.workspace.slug, pk])
    return reverse("new_rule", args=[request.workspace.slug])


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def switch(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """On or off, as the form says."""
    row = get_object_or_404(Rule, workspace=request.workspace, pk=pk)
    switch_rule(row, request.user, on=request.POST.get("on") == "1")
    messages.success(request, f"The rule “{row.name}” is switched {'on' if row.enabled else 'off'}.")
    return redirect("alerts", request.workspace.slug)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def delete(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Nobody is told by it any more."""
    row = get_object_or_404(Rule, workspace=request.workspace, pk=pk)
    delete_rule(row, request.user)
    messages.success(request, f"The rule “{row.name}” is deleted.")
    return redirect("alerts", request.workspace.slug)


# --- as YAML ----------------------------------------------------------------------------------------------------------


@member_required
@require_GET
def export(request: WorkspaceRequest) -> HttpResponse:
    """All rules in one file."""
    response = HttpResponse(export_rules(request.workspace), content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rules-{request.workspace.slug}.yaml"'
    return response


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def import_page(request: WorkspaceRequest) -> HttpResponse:
    """Make and change rules by a file; all of them, or none."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            found = import_rules(request.workspace, form.cleaned_data["text"], request.user)
        except BadInput as error:
            form.add_error(None, f"{error.at}: {error.message} {error.mend}".removeprefix(": ").strip())
        else:
            messages.success(
                request,
                f"Made {len(found.made)}, changed {len(found.changed)}, left {len(found.unchanged)} as they were.",
            )
            return redirect("alerts", request.workspace.slug)
    return render_page(request, "rules/import.html", {"form": form}, status=422 if form.errors else 200)
