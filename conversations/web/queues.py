"""Queues of a workspace: how far each is, its items, and the next one for whoever asks."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from conversations import tasks
from conversations.models import Queue, QueueItem, Reservation, Review
from conversations.review.parquet import is_installed
from conversations.review.places import claim_next, release
from conversations.review.queries import progress_of
from conversations.review.queues import close_queue, open_queue, set_calibration
from conversations.review.settling import may_settle
from conversations.vocabulary import ItemState, MemberRole, Overall
from conversations.web.markdown import render_markdown
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required
from conversations.web.paging import Order, capped_count, page_of

#: Queues on the page: a team has a handful.
MOST_QUEUES = 200
#: As they are handed out.
HANDED_OUT = Order("priority", descending=True)
#: What the list of items is cut down to, by `?state=`.
STATES = {
    "": "all",
    ItemState.WAITING.value: "waiting",
    ItemState.DONE.value: "done",
    ItemState.DISAGREED.value: "disagreed",
    ItemState.SETTLED.value: "settled",
}


@member_required
@require_GET
def queue_list(request: WorkspaceRequest) -> HttpResponse:
    """Open queues with how far they are, then closed ones."""
    rows = list(Queue.objects.filter(workspace=request.workspace).order_by("-id")[:MOST_QUEUES])
    found = progress_of(rows, request.user.pk)
    open_ = [each for each in found if each.queue.closed_at is None]
    context = {
        "open": open_,
        "closed": [each for each in found if each.queue.closed_at is not None],
        "first": next((each for each in open_ if each.mine), None),
        "may_review": may(request.membership, MemberRole.REVIEWER),
        "today": timezone.now().date(),
        "has_parquet": is_installed(),
    }
    return render_page(request, "review/list.html", context)


@member_required
@require_GET
def queue_page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What it asks for, how far it is, and its items as they are handed out; `?state=` cuts them down."""
    queue = _queue(request, pk)
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    rows = QueueItem.objects.filter(workspace=request.workspace, queue=queue, **({"state": state} if state else {}))
    page = page_of(_told(rows), HANDED_OUT, request.GET)
    may_review = may(request.membership, MemberRole.REVIEWER)
    context = {
        "queue": queue,
        "progress": progress_of([queue], request.user.pk)[0],
        "instructions": render_markdown(queue.instructions),
        "states": [(value, label, value == state) for value, label in STATES.items()],
        "page": page,
        "items": [_row(request, item) for item in page.rows],
        "count": capped_count(rows) if page.previous or page.next else f"{len(page.rows):,}",
        "may_review": may_review,
        "today": timezone.now().date(),
    }
    return render_page(request, "review/page.html", context)


def _told(rows: QuerySet[QueueItem]) -> QuerySet[QueueItem]:
    """With compaction, its audit and who judged it or is at it: three queries."""
    reviews = Review.objects.filter(submitted_at__isnull=False).select_related("reviewer").order_by("settles", "id")
    at_it = Reservation.objects.filter(expires_at__gt=timezone.now()).select_related("user").order_by("id")
    joined = rows.select_related("compaction__conversation__agent", "compaction__audit")
    # Of wide rows only what is shown.
    shown = joined.defer(
        "compaction__raw", "compaction__dropped_ids", "compaction__kept_ids", "compaction__cleared_ids",
        "compaction__instructions", "compaction__conversation__search", "compaction__conversation__sparkline",
    )  # fmt: skip
    return shown.prefetch_related(Prefetch("reviews", reviews), Prefetch("reservations", at_it))


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as a row of the table."""

    item: QueueItem
    said: list[tuple[str, str]]  # (who, their overall verdict); no verdict where it is not for this person's eyes
    at_it: list[str]
    is_mine: bool  # this person holds a place
    may_settle: bool
    record: Review | None


def _row(request: WorkspaceRequest, item: QueueItem) -> ItemRow:
    reviews = list(item.reviews.all())
    judged = [each for each in reviews if not each.settles]
    to_judge = item.state == ItemState.WAITING or item.calibration
    shown = not to_judge or any(each.reviewer_id == request.user.pk for each in judged)
    reserved = list(item.reservations.all())
    return ItemRow(
        item=item,
        said=[(_name(each), _overall(each) if shown else "") for each in judged],
        at_it=[str(each.user) for each in reserved],
        is_mine=any(each.user_id == request.user.pk for each in reserved),
        may_settle=item.state == ItemState.DISAGREED and may_settle(request.membership.role, request.user, reviews),
        record=next((each for each in reviews if each.settles and shown), None),
    )


def _name(review: Review) -> str:
    return str(review.reviewer) if review.reviewer else "somebody deleted"


def _overall(review: Review) -> str:
    return Overall(review.overall).value.replace("_", " ") if review.overall else ""


@member_required
@role_required(MemberRole.REVIEWER)
@require_http_methods(["GET", "POST"])
def queue_next(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Reserves an item and goes to it; to the queue's page where nothing is left for this person."""
    queue = _queue(request, pk)
    item = claim_next(queue, request.user)
    if item is None:
        messages.info(
            request, "The queue is closed." if queue.closed_at else "Nothing waits for you in this queue now."
        )
        return redirect("queue", request.workspace.slug, queue.pk)
    return see_other(item_address(request, item))


def item_address(request: WorkspaceRequest, item: QueueItem) -> str:
    """The compaction's page with the item on the verdict bar."""
    address = reverse("compaction", args=[request.workspace.slug, item.compaction_id])
    return f"{address}?{urlencode({'queue': item.queue_id, 'item': item.pk})}"


def see_other(address: str) -> HttpResponse:
    """303: whatever was asked how, the next one is a GET; no cache keeps it."""
    return HttpResponse(status=303, headers={"Location": address, "Cache-Control": "no-store"})


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def release_item(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Gives a reserved item back; a draft is kept."""
    rows = QueueItem.objects.filter(workspace=request.workspace).select_related("queue")
    item = get_object_or_404(rows, pk=pk)
    release(item, request.user)
    messages.success(request, "The item is free for others again.")
    return redirect("queue", request.workspace.slug, item.queue_id)


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def calibration(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """`on=1`: everybody is to judge the item. Reviewers are not told which ones these are."""
    rows = QueueItem.objects.filter(workspace=request.workspace).select_related("queue", "workspace")
    item = get_object_or_404(rows, pk=pk)
    on = request.POST.get("on") == "1"
    set_calibration(item, request.user, on=on)
    said = "Everybody gets this item now; reviewers are not told why." if on else "The item is like any other again."
    messages.success(request, said)
    return redirect(f"{reverse('queue', args=[request.workspace.slug, item.queue_id])}#items")


@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def queue_state(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """`to=closed` or `to=open`."""
    queue = _queue(request, pk)
    if request.POST.get("to") == "open":
        open_queue(queue, request.user)
        tasks.fill_later(queue)
        messages.success(request, f"“{queue.name}” is open again.")
    else:
        close_queue(queue, request.user)
        messages.success(request, f"“{queue.name}” is closed. What was handed in stays.")
    return redirect("queue", request.workspace.slug, queue.pk)


def _queue(request: WorkspaceRequest, pk: int) -> Queue:
    row: Queue = get_object_or_404(Queue, workspace=request.workspace, pk=pk)
    row.workspace = request.workspace
    return row
