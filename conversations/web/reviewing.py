"""What a reviewer sends from the verdict bar. Each answer is the bar as it stands now, or the page it leads to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from conversations.errors import BadInput, Conflict, Refused
from conversations.models import Compaction, Finding, Mark, QueueItem, Review, Verdict
from conversations.review import services
from conversations.review.marking import mark_words
from conversations.review.places import claim_next, release
from conversations.vocabulary import MemberRole
from conversations.web.bar import Bar, Notice, bar_of, compaction_of, keep_typed, page_address
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required, wants_partial
from conversations.web.paging import is_key
from conversations.web.queues import item_address, see_other
from conversations.web.revealing import as_stored
from conversations.web.veil import fact_numbered, number_of

CONFLICT, INVALID = 409, 422
#: What to do where a place is lost; the draft is there.
_WAIT = "Your draft is kept: save again once a place is free, or skip to the next item."


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def verdict(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """`fact`, `answer` and, to reword, `reworded`."""
    fact = _sent(request, "fact")
    said = {"answer": _sent(request, "answer"), "reworded": _sent(request, "reworded")}
    # Of single verdicts the last one counts, in whichever tab: so no revision is named.
    return _saved(request, pk, lambda review: services.save_verdict(review, None, fact_id=fact, **said), fact=fact)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def undo(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Takes the last verdict back."""
    compaction, item = _asked(request, pk)
    own = {"compaction": compaction, "item": item, "reviewer": request.user, "settles": False}
    review = Review.objects.filter(workspace=request.workspace, **own).first()
    rows = Verdict.objects.filter(workspace=request.workspace, review=review)
    last = rows.order_by("-at", "-id").first() if review else None
    if last is None:
        return _answer(request, compaction)
    fact = last.fact_id
    return _saved(
        request, pk, lambda own: services.save_verdict(own, None, fact_id=fact, answer=""), fact=fact, undone=True
    )


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def save(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """`overall`, `criterion.*` and `comment` under the `revision` seen; with `then=submit` it is handed in."""
    revision = int(request.POST["revision"]) if is_key(request.POST.get("revision", "")) else 0
    said = _whole(request)

    handing_in = request.POST.get("then") == "submit"
    write = services.submit if handing_in else services.save_review
    return _saved(request, pk, lambda review: write(review, revision, **said), leads_on=handing_in)


def _whole(request: WorkspaceRequest) -> dict[str, Any]:
    prefix = "criterion."
    given = {name.removeprefix(prefix): str(value) for name, value in request.POST.items() if name.startswith(prefix)}
    criteria = {key: int(value) if is_key(value) else value for key, value in given.items()}
    said = {name: _sent(request, name) for name in ("overall", "comment")}
    return {**said, "criteria": criteria}


def _sent(request: WorkspaceRequest, name: str) -> str:
    """A field without the one character that Postgres does not store."""
    return request.POST.get(name, "").replace("\0", "")


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def mark(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """`what`, the `words` as they are read, the `message` they were selected in (or none), what stood `before`."""
    names = ("what", "words", "before", "text", "kind", "message")
    said = {name: as_stored(request, _sent(request, name)) for name in names}
    return _saved(request, pk, lambda review: mark_words(review, **said), marked=True)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def unmark(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Takes back the `mark` named; one that is gone already is no mistake."""
    key = request.POST.get("mark", "")

    def remove(review: Review) -> None:
        rows = Mark.objects.filter(workspace=request.workspace, review=review, pk=int(key) if is_key(key) else 0)
        for row in rows.select_related("review"):
            services.remove_mark(row, None)

    return _saved(request, pk, remove, marked=True)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def reopen(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Makes what was handed in a draft again."""
    return _saved(request, pk, services.reopen)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def skip(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Gives the place back and goes to the next item."""
    compaction, item = _asked(request, pk)
    if item is None:
        return _go(request, page_address(request, compaction.pk))
    release(item, request.user)
    return _go(request, _next_address(request, item))


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def ahead(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Reserves the next item, so that its page can be fetched before it is wanted: {"url": …}, empty for none."""
    _, item = _asked(request, pk)
    following = claim_next(item.queue, request.user, besides=[item.pk]) if item else None
    return JsonResponse({"url": item_address(request, following) if following else ""})


# --- what is judged, and the answer


def _asked(request: WorkspaceRequest, pk: int) -> tuple[Compaction, QueueItem | None]:
    """The compaction with its bar, and the item of a queue that the address names."""
    compaction = compaction_of(request, pk)
    queue, item = request.GET.get("queue", ""), request.GET.get("item", "")
    if not (is_key(queue) and is_key(item)):
        return compaction, None
    items = QueueItem.objects.filter(workspace=request.workspace, compaction=compaction, queue=int(queue))
    return compaction, get_object_or_404(items.select_related("queue"), pk=int(item))


def _saved(
    request: WorkspaceRequest, pk: int, write: Callable[[Review], object], *, leads_on: bool = False, **about: Any
) -> HttpResponse:
    """Write into the person's review; the bar as it stands then, or what was wrong and everything that was typed."""
    compaction, item = _asked(request, pk)
    try:
        with transaction.atomic():
            write(services.open_review(compaction=compaction, user=request.user, item=item))
    except Conflict as error:
        return _failed(request, compaction, Notice(str(error), "What you typed is still here.", conflict=True))
    except Refused as error:
        return _failed(request, compaction, Notice(str(error), _WAIT))
    except BadInput as error:
        return _failed(request, compaction, Notice(str(error), error.mend, again=False), INVALID)
    if leads_on:
        return _go(request, _next_address(request, item) if item else page_address(request, pk))
    return _answer(request, _asked(request, pk)[0], **about)


def _answer(
    request: WorkspaceRequest, compaction: Compaction, *, fact: str = "", undone: bool = False, marked: bool = False
) -> HttpResponse:
    """The bar, what the fact's own line says, and whether the texts are to show other marks; without a script the page
    again."""
    if not wants_partial(request):
        return see_other(page_address(request, compaction.pk))
    bar = _chosen(request, compaction, bar_of(request, compaction))
    context = {
        "bar": bar,
        "fact": fact,
        "said": bar.verdict_on(fact),
        "reveals": bool(fact) and bar.is_blind,
        "marked": marked,
        "undone": number_of(bar, compaction, fact) if undone else None,
    }
    return render_page(request, "review/bar_answer.html", context)


def _failed(request: WorkspaceRequest, compaction: Compaction, notice: Notice, status: int = CONFLICT) -> HttpResponse:
    """The bar as it is now, with the notice and what was sent in its fields."""
    names = ("overall", "comment", "reworded", "words", "before", "text", "kind", "what", "message")
    typed: dict[str, Any] = {name: _sent(request, name) for name in names if name in request.POST}
    if "comment" in typed:
        typed["criteria"] = _whole(request)["criteria"]
    if not wants_partial(request):
        keep_typed(request, compaction.pk, notice, typed)
        return see_other(page_address(request, compaction.pk))
    fresh = _asked(request, compaction.pk)[0]
    bar = _chosen(request, fresh, replace(bar_of(request, fresh), notice=notice, typed=typed))
    return render_page(request, "review/bar_answer.html", {"bar": bar}, status=status)


def _chosen(request: WorkspaceRequest, compaction: Compaction, bar: Bar) -> Bar:
    """With the fact that `?fact=` names."""
    number = request.GET.get("fact", "")
    row: Finding | None = fact_numbered(bar, compaction, int(number)) if is_key(number) else None
    return bar.choosing(int(number), row.fact_id, row.text) if row else bar


def _next_address(request: WorkspaceRequest, item: QueueItem) -> str:
    following = claim_next(item.queue, request.user, besides=[item.pk])
    if following:
        return item_address(request, following)
    messages.success(request, "Nothing more waits for you in this queue.")
    return reverse("queue", args=[request.workspace.slug, item.queue_id])


def _go(request: WorkspaceRequest, address: str) -> HttpResponse:
    """To another page; a script is told where."""
    return HttpResponse(headers={"HX-Redirect": address}) if wants_partial(request) else see_other(address)
