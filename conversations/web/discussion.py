"""The discussion of a compaction: threads on its page, and what people post there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from conversations.errors import BadInput
from conversations.models import Comment, Compaction, Thread
from conversations.review import discussion
from conversations.vocabulary import MemberRole
from conversations.web.bar import KEPT, Bar, bar_of, compaction_of
from conversations.web.facts import Column
from conversations.web.pages import (
    WorkspaceRequest,
    may,
    member_required,
    render_page,
    role_required,
    wants_partial,
)
from conversations.web.paging import is_key
from conversations.web.queues import see_other

MOST_SHOWN = 500  # comments, the newest; more on one compaction is a conversation for another place


@dataclass(frozen=True, slots=True)
class Discussion:
    """The panel."""

    threads: Sequence[tuple[Thread, Sequence[Comment]]]
    about: str  # the fact that a new thread would be on; empty: the compaction
    fact_id: str
    may_write: bool
    is_hidden: bool  # from who judges blindly: what others say would tell
    user: int
    is_admin: bool
    query: str  # what is reviewed, for the addresses that are posted to


def discussion_of(request: WorkspaceRequest, compaction: Compaction, bar: Bar, column: Column) -> Discussion:
    """In one query, or none where it is hidden. `?discuss=1` begins a thread on the chosen fact."""
    chosen = column.chosen.row if column.chosen and request.GET.get("discuss") == "1" else None
    return Discussion(
        threads=[] if bar.is_blind else _threads(compaction),
        about=chosen.text if chosen else "",
        fact_id=chosen.fact_id if chosen else "",
        may_write=may(request.membership, MemberRole.REVIEWER),
        is_hidden=bar.is_blind,
        user=request.user.pk,
        is_admin=may(request.membership, MemberRole.ADMIN),
        query=urlencode(_kept(request)),
    )


def _threads(compaction: Compaction) -> list[tuple[Thread, list[Comment]]]:
    rows = Comment.objects.filter(workspace=compaction.workspace_id, thread__compaction=compaction)
    newest = rows.select_related("thread__assignee").order_by("-id")[:MOST_SHOWN]
    threads: dict[int, tuple[Thread, list[Comment]]] = {}
    for row in reversed(newest):
        threads.setdefault(row.thread_id, (row.thread, []))[1].append(row)
    return list(threads.values())


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def say(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """`text`, in the `thread` named or in a new one on the compaction or its `fact`. A script gets what was said since
    the comment `after`, and an empty field; or, where it is refused, what was wrong, and the field stays."""
    compaction = judged(request, pk)
    text, key = request.POST.get("text", ""), request.POST.get("thread", "")
    thread = _thread(request, compaction, key) if key else None
    try:
        if thread:
            comment = discussion.add_comment(thread, request.user, text)
        else:
            fact = request.POST.get("fact", "").replace("\0", "")
            comment = discussion.open_thread(compaction, request.user, text, fact_id=fact)
    except BadInput as error:
        if wants_partial(request):
            return refused(request, str(error), f"thread-{thread.pk}-error" if thread else "say-error")
        messages.error(request, str(error))
        return back(request, pk, "discussion")
    if not wants_partial(request):
        return back(request, pk, f"comment-{comment.pk}")
    return _said(request, compaction, comment, key)


def _thread(request: WorkspaceRequest, compaction: Compaction, key: str) -> Thread:
    rows = Thread.objects.filter(workspace=request.workspace, compaction=compaction)
    return get_object_or_404(rows.select_related("workspace"), pk=int(key) if is_key(key) else 0)


def _said(request: WorkspaceRequest, compaction: Compaction, comment: Comment, key: str) -> HttpResponse:
    after = request.POST.get("after", "")
    rows = Comment.objects.filter(workspace=request.workspace, thread=comment.thread_id)
    newer = list(rows.filter(pk__gt=int(after)).order_by("id")) if is_key(after) else [comment]
    said: dict[str, Any] = {"thread": comment.thread, "comments": newer, "key": key}
    return part(request, "discussion/said.html", compaction=compaction, **said)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def resolve_thread(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Resolves a thread; with `open=1` it is open again."""
    thread = get_object_or_404(Thread.objects.select_related("workspace"), workspace=request.workspace, pk=pk)
    judged(request, thread.compaction_id)
    change = discussion.reopen if request.POST.get("open") == "1" else discussion.resolve
    change(thread, request.user)
    if wants_partial(request):
        return part(request, "discussion/state.html", thread=thread)
    return back(request, thread.compaction_id, f"thread-{thread.pk}")


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def remove_comment(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One's own; admins anybody's."""
    rows = Comment.objects.filter(workspace=request.workspace).select_related("thread", "workspace")
    comment = get_object_or_404(rows, pk=pk)
    if comment.author_id != request.user.pk and not may(request.membership, MemberRole.ADMIN):
        raise PermissionDenied("Only who wrote it, or an admin of this workspace, may do this.")
    judged(request, comment.thread.compaction_id)
    discussion.remove(comment, request.user)
    if wants_partial(request):
        return part(request, "discussion/comment.html", comment=comment)
    return back(request, comment.thread.compaction_id, f"comment-{comment.pk}")


def part(request: WorkspaceRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A piece of the panel, for who may write in it: it takes the place of what was clicked, and nothing else."""
    writing = Discussion(
        threads=(),
        about="",
        fact_id="",
        may_write=True,
        is_hidden=False,
        user=request.user.pk,
        is_admin=may(request.membership, MemberRole.ADMIN),
        query=urlencode(_kept(request)),
    )
    return render_page(request, template, {"discussion": writing} | context, status=status)


def refused(request: WorkspaceRequest, error: str, place: str) -> HttpResponse:
    """What was wrong, in the element `place` of the form; the form itself, and what is typed in it, stays."""
    answer = part(request, "discussion/error.html", error=error, status=422)
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#{place}", "innerHTML"
    return answer


def judged(request: WorkspaceRequest, pk: int) -> Compaction:
    """The compaction, unless the person judges it blindly still."""
    compaction = compaction_of(request, pk)
    if bar_of(request, compaction).is_blind:
        raise PermissionDenied("Its discussion shows once you have handed in your review.")
    return compaction


def _kept(request: WorkspaceRequest) -> dict[str, Any]:
    return {name: request.GET[name] for name in (*KEPT, "fact") if name in request.GET}


def back(request: WorkspaceRequest, pk: int, anchor: str) -> HttpResponse:
    """To `anchor` of the compaction's page, with what is reviewed still there."""
    kept = urlencode(_kept(request))
    address = reverse("compaction", args=[request.workspace.slug, pk])
    return see_other(f"{address}{'?' if kept else ''}{kept}#{anchor}")
