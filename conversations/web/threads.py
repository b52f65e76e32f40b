"""Who sees to a thread, the threads that are one's own to see to, and changing one's own comment."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_http_methods

from conversations.errors import BadInput, Conflict
from conversations.models import Comment, Thread, User
from conversations.review import discussion
from conversations.vocabulary import MemberRole
from conversations.web.discussion import back, judged, part, refused
from conversations.web.pages import (
    WorkspaceRequest,
    member_required,
    render_page,
    role_required,
    wants_partial,
)
from conversations.web.paging import Order, is_key, page_of

NEWEST = Order("id", descending=True)
CONFLICT = 409


@member_required
@require_GET
def assigned_threads(request: WorkspaceRequest) -> HttpResponse:
    """Those assigned to oneself that are open; `?resolved=1`: those that are resolved. Nothing that was said in them
    stands here, since somebody may judge their compaction blindly."""
    resolved = request.GET.get("resolved") == "1"
    rows = Thread.objects.filter(
        workspace=request.workspace, assignee=request.user, resolved_at__isnull=not resolved
    ).select_related("compaction__conversation")
    context = {"page": page_of(rows, NEWEST, request.GET), "resolved": resolved}
    return render_page(request, "discussion/assigned.html", context)


@member_required
@role_required(MemberRole.REVIEWER)
@require_http_methods(["GET", "POST"])
def assign_thread(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """A form for who is to see to it; `assignee` empty: nobody. A script gets it in the thread, and `?cancel` puts back
    what stood there."""
    rows = Thread.objects.select_related("workspace", "compaction", "assignee")
    thread = get_object_or_404(rows, workspace=request.workspace, pk=pk)
    judged(request, thread.compaction_id)
    people, error = discussion.assignable(thread), ""
    if request.method == "POST":
        try:
            discussion.assign(thread, request.user, _chosen(people, request.POST.get("assignee", "")))
        except BadInput as refusal:
            error = str(refusal)
        else:
            return _assigned(request, thread)
    if wants_partial(request):
        return _assign_part(request, thread, people, error)
    context = {"thread": thread, "people": people, "error": error, "query": request.GET.urlencode()}
    return render_page(request, "discussion/assign.html", context, status=422 if error else 200)


def _assigned(request: WorkspaceRequest, thread: Thread) -> HttpResponse:
    if wants_partial(request):
        return part(request, "discussion/assignee.html", thread=thread, is_back=True)
    return back(request, thread.compaction_id, f"thread-{thread.pk}")


def _assign_part(request: WorkspaceRequest, thread: Thread, people: list[User], error: str) -> HttpResponse:
    if error:
        return refused(request, error, f"thread-{thread.pk}-assignee-error")
    if "cancel" in request.GET:
        return _assigned(request, thread)
    return part(request, "discussion/assignee.html", thread=thread, people=people)


def _chosen(people: list[User], key: str) -> User | None:
    if not key:
        return None
    found = [person for person in people if is_key(key) and person.pk == int(key)]
    if not found:
        raise BadInput("Threads are assigned to members who may review.")
    return found[0]


@member_required
@role_required(MemberRole.REVIEWER)
@require_http_methods(["GET", "POST"])
def edit_comment(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """A form for one's own comment. What is refused is shown again with everything that was typed. A script gets it in
    the comment's place, and back with `?cancel`."""
    rows = Comment.objects.filter(workspace=request.workspace).select_related("thread__compaction", "workspace")
    comment = get_object_or_404(rows, pk=pk)
    if comment.author_id != request.user.pk:
        raise PermissionDenied("Only who wrote it may change it.")
    judged(request, comment.thread.compaction_id)
    text, error, is_stale = comment.text, "", False
    if request.method == "POST":
        text, seen = request.POST.get("text", ""), request.POST.get("revision", "")
        try:
            discussion.edit(comment, request.user, text, seen=int(seen) if is_key(seen) else 0)
        except BadInput as refusal:
            error = str(refusal)
        except Conflict as conflict:
            error, is_stale = str(conflict), True
            comment.refresh_from_db(fields=["text", "deleted_at", "revision"])
        else:
            return _edited(request, comment)
    if wants_partial(request):
        return _edit_part(request, comment, text, error, is_stale=is_stale)
    context = {"comment": comment, "text": text, "error": error, "is_stale": is_stale}
    context["query"] = request.GET.urlencode()
    return render_page(request, "discussion/edit.html", context, status=422 if error else 200)


def _edited(request: WorkspaceRequest, comment: Comment) -> HttpResponse:
    if wants_partial(request):
        return part(request, "discussion/comment.html", comment=comment, is_back=True)
    return back(request, comment.thread.compaction_id, f"comment-{comment.pk}")


def _edit_part(request: WorkspaceRequest, comment: Comment, text: str, error: str, *, is_stale: bool) -> HttpResponse:
    if error and not is_stale:
        return refused(request, error, f"comment-{comment.pk}-error")
    if "cancel" in request.GET or (comment.deleted_at and not error):
        return _edited(request, comment)
    context = {"comment": comment, "text": text, "error": error, "is_stale": is_stale}
    return part(request, "discussion/comment_edit.html", status=CONFLICT if is_stale else 200, **context)
