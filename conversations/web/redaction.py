"""Redaction of a workspace: when and what, patterns of its own with a text to try them on, and what is stored."""

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from conversations import tasks
from conversations.models import Conversation, RedactionPattern, RedactionRun
from conversations.ops import redacting
from conversations.ops.holds import held
from conversations.redaction import settings
from conversations.redaction.detectors import DETECTORS
from conversations.redaction.expressions import BadExpression
from conversations.vocabulary import MemberRole, Redaction, RedactionState
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.redaction_forms import MODES, PatternForm, RedactionForm, StoredForm
from conversations.web.revealing import set_revealed
from conversations.web.signing_in import safe_path

PAGE = "privacy/redaction.html"
_SAID = {
    Redaction.OFF: "Nothing is redacted any more.",
    Redaction.INGEST: "What comes from now on is redacted.",
    Redaction.DISPLAY: "What is found is hidden, in what comes and in what is stored.",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a sample: `found` holds (label, times)."""

    text: str = ""
    found: tuple[tuple[str, int], ...] = ()
    error: str = ""


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def redaction(request: WorkspaceRequest) -> HttpResponse:
    """The settings, the patterns, and how far the redaction of what is stored is."""
    forms = _forms(request)
    chosen = request.POST.get("part", "") if request.method == "POST" else ""
    form = forms.get(chosen)
    if form is not None and form.is_valid():
        _save(request, chosen, form)
        return redirect("redaction", request.workspace.slug)
    return render_page(request, PAGE, _context(request, forms), status=422 if form is not None else 200)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def try_redaction(request: WorkspaceRequest) -> HttpResponse:
    """What the saved settings and the typed pattern make of a sample."""
    form = PatternForm(request.workspace, request.POST)
    form.is_valid()
    context = {"tried": _tried(request, form)}
    if "HX-Request" not in request.headers:
        context |= _context(request, {**_forms(request), "pattern": form})
    return render_page(request, PAGE, context, partial="privacy/redaction_tried.html")


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def delete_pattern(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """It finds nothing any more; what it took out stays out, what it hid is shown again."""
    row = get_object_or_404(RedactionPattern.objects.select_related("workspace"), workspace=request.workspace, pk=pk)
    settings.delete_pattern(row, request.user)
    messages.success(request, f"“{row.name}” is looked for no more.")
    _renew_hidden(request)
    return redirect("redaction", request.workspace.slug)


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def redact_stored(request: WorkspaceRequest) -> HttpResponse:
    """Begin it, or go on with one that failed; asked by GET, how far it is."""
    latest = _latest(request)
    if request.method == "GET":
        return render_page(request, PAGE, _context(request, _forms(request)), partial="privacy/redaction_state.html")
    if latest is not None and latest.state == RedactionState.FAILED and "again" in request.POST:
        redacting.try_again(latest)
        tasks.begin_redaction(latest)
        return redirect("redaction", request.workspace.slug)
    form = StoredForm(request.POST, auto_id="stored_%s")
    if request.workspace.redaction != Redaction.DISPLAY and not form.is_valid():
        return render_page(request, PAGE, _context(request, {**_forms(request), "stored": form}), status=422)
    tasks.begin_redaction(redacting.begin(request.workspace, request.user))
    return redirect("redaction", request.workspace.slug)


@member_required
@role_required(MemberRole.OWNER)
@require_POST
def reveal(request: WorkspaceRequest) -> HttpResponse:
    """Show this owner what is hidden, or, asked with `end`, hide it again; then back to `next`."""
    if request.workspace.redaction == Redaction.DISPLAY:
        set_revealed(request, reveals="end" not in request.POST)
    return redirect(safe_path(request, request.POST.get("next", "")))


# --- what the page shows ----------------------------------------------------------------------------------------------


def _forms(request: WorkspaceRequest) -> dict[str, Any]:
    """All three; what was posted is in the one that was."""
    posted = {name: request.POST if request.POST.get("part") == name else None for name in ("settings", "pattern")}
    return {
        "settings": RedactionForm(posted["settings"], auto_id="settings_%s"),
        "pattern": PatternForm(request.workspace, posted["pattern"], auto_id="pattern_%s"),
        "stored": StoredForm(auto_id="stored_%s"),
    }


def _context(request: WorkspaceRequest, forms: dict[str, Any]) -> dict[str, Any]:
    workspace = request.workspace
    patterns = workspace.redaction_patterns.select_related("created_by").order_by("name")
    return {
        **{f"{name}_form": form for name, form in forms.items()},
        "modes": [(mode, title, about, mode == workspace.redaction) for mode, title, about in MODES],
        "groups": _groups(settings.detectors_of(workspace)),
        "patterns": list(patterns),
        "run": _latest(request),
        "is_for_good": workspace.redaction == Redaction.INGEST,
        "is_hidden": workspace.redaction == Redaction.DISPLAY,
        "held": Conversation.objects.filter(held(workspace), workspace=workspace).count(),
    }


def _groups(chosen: list[str]) -> list[tuple[str, list[tuple[Any, bool]]]]:
    """The detectors by group, each with whether it is chosen."""
    return [
        (group, [(detector, detector.name in chosen) for detector in each])
        for group, each in groupby(DETECTORS, key=lambda detector: detector.group)
    ]


def _latest(request: WorkspaceRequest) -> RedactionRun | None:
    return request.workspace.redaction_runs.select_related("requested_by").order_by("-id").first()


def _tried(request: WorkspaceRequest, form: PatternForm) -> Tried:
    if error := next(iter(form.errors.get("expression", ())), "") if form.data.get("expression") else "":
        return Tried(error=str(error))
    sample, expression = form.data.get("sample", ""), form.cleaned_data.get("expression", "")
    if "sample" in form.errors:
        return Tried(error=str(form.errors["sample"][0]))
    try:
        redactor = settings.redactor_with(request.workspace, form.cleaned_data.get("name", "your pattern"), expression)
    except BadExpression as bad:
        return Tried(error=str(bad))
    counts = Counter(span.label for span in redactor.spans(sample))
    return Tried(redactor.text(sample), tuple(counts.most_common()))


def _save(request: WorkspaceRequest, name: str, form: Any) -> None:
    if name == "pattern":
        values = {key: form.cleaned_data[key] for key in ("name", "expression")}
        settings.add_pattern(request.workspace, **values, by=request.user)
        messages.success(request, f"“{values['name']}” is looked for from now on.")
        _renew_hidden(request)
        return
    was, mode = request.workspace.redaction, Redaction(form.cleaned_data["mode"])
    with transaction.atomic():
        if was != mode == Redaction.INGEST:  # what was asked for so far could be shown again
            redacting.give_up(request.workspace)
        settings.change(request.workspace, mode=mode, detectors=form.cleaned_data["detectors"], by=request.user)
    messages.success(request, _SAID[mode])
    _renew_hidden(request, was)


def _renew_hidden(request: WorkspaceRequest, was: str = "") -> None:
    """What is hidden can be shown again, so that nobody need be asked: what is stored follows the settings. To take it
    out for good is asked for by itself."""
    ends = was == Redaction.DISPLAY and request.workspace.redaction == Redaction.OFF
    if ends or request.workspace.redaction == Redaction.DISPLAY:
        tasks.begin_redaction(redacting.begin(request.workspace, request.user))
