"""Make and change a queue: its form, with what would flow in and how the instructions will look."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from conversations import tasks
from conversations.models import Queue
from conversations.review.filling import Preview, preview
from conversations.review.queues import save_queue
from conversations.review.sampling import Sample
from conversations.vocabulary import MemberRole, Sampling
from conversations.web.filters import CompactionFilters
from conversations.web.markdown import render_markdown
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.queue_forms import QueueForm, RubricForm

#: Buttons that show something and save nothing: another row for the rubric, or what would come of it.
SHOW = frozenset({"add", "preview"})


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def new_queue(request: WorkspaceRequest) -> HttpResponse:
    """The form; the compaction list's own parameters in its address are its filters."""
    return _edit(request, Queue(workspace=request.workspace, created_by=request.user), request.GET)


@member_required
@role_required(MemberRole.ADMIN)
@require_http_methods(["GET", "POST"])
def edit_queue(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same form for one that is there."""
    queue = get_object_or_404(Queue, workspace=request.workspace, pk=pk)
    return _edit(request, queue, queue.filters)


def _edit(request: WorkspaceRequest, queue: Queue, stored: Mapping[str, str]) -> HttpResponse:
    given = request.POST if request.method == "POST" else None
    form = QueueForm(given, instance=queue)
    rubric = RubricForm.of(queue.rubric) if given is None else RubricForm.read(given)
    filters = CompactionFilters(stored if given is None else given, request.workspace)
    shows = given is not None and given.get("then") in SHOW
    is_valid = given is not None and form.is_valid() and rubric.is_valid()
    if is_valid and not shows:
        return _save(request, form, rubric, filters)
    if shows:
        form = QueueForm(initial=given.dict(), instance=queue)  # type: ignore[union-attr] # then it is given
    context = {
        "form": form, "queue": queue, "rubric": rubric.with_empty(), "filters": filters,
        "preview": _preview(request, form, filters), "instructions": render_markdown(_value(form, "instructions")),
    }  # fmt: skip
    status = 200 if given is None or shows else 422
    return render_page(request, "review/edit.html", context, partial="review/preview.html", status=status)


def _save(request: WorkspaceRequest, form: QueueForm, rubric: RubricForm, filters: CompactionFilters) -> HttpResponse:
    queue: Queue = form.save(commit=False)
    queue.rubric, queue.filters = rubric.rubric(), filters.values
    if save_queue(queue, request.user):
        tasks.fill_later(queue)
    messages.success(request, f"“{queue.name}” is saved. What fits flows in now.")
    return redirect("queue", request.workspace.slug, queue.pk)


def _preview(request: WorkspaceRequest, form: QueueForm, filters: CompactionFilters) -> Preview:
    sampling, percent = str(_value(form, "sampling")), str(_value(form, "sample_percent"))
    how = Sample(
        Sampling(sampling) if sampling in set(Sampling) else Sampling.ALL,
        int(percent) if percent.isdecimal() and len(percent) <= 3 else 100,  # noqa: PLR2004 -- digits of a percentage
        form.instance.pk or 0,
    )
    return preview(request.workspace, filters.values, how)


def _value(form: QueueForm, name: str) -> Any:
    return form[name].value() or ""
