"""Import: files dropped into the browser, and what became of every batch that was sent, by whatever way."""

from dataclasses import dataclass
from typing import IO, Any, cast

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from conversations import tasks
from conversations.errors import BadInput
from conversations.ingest import services
from conversations.ingest.queries import batch_conversations
from conversations.models import Batch, BatchProblem, Conversation
from conversations.people.activity import record_activity
from conversations.vocabulary import BatchState, MemberRole
from conversations.web import queries
from conversations.web.pages import WorkspaceRequest, may, member_required, render_page, role_required, wants_partial
from conversations.web.paging import Order, page_of

NEWEST = Order("id", descending=True)
IN_ORDER = Order("id")
PROBLEMS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class BatchCard:
    """A batch with what was found in it."""

    batch: Batch
    conversations: list[Conversation]
    already_known: bool = False

    @property
    def waits(self) -> bool:
        """Whether the page should ask again soon."""
        return self.batch.state == BatchState.PENDING


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was not taken."""

    name: str
    message: str
    mend: str


@member_required
@require_GET
def import_page(request: WorkspaceRequest) -> HttpResponse:
    """Drop files; below, the batches of late."""
    page = page_of(queries.batches_of(request.workspace), NEWEST, request.GET)
    context = {"page": page, "may_import": may(request.membership, MemberRole.REVIEWER)}
    return render_page(request, "batches/import.html", context, partial="batches/results.html")


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def upload(request: WorkspaceRequest) -> HttpResponse:
    """Take the files of a form. Answers with a card a file to the script, with the import page to a plain form."""
    files = request.FILES.getlist("files")
    taken = [_take(request, file) for file in files if isinstance(file, UploadedFile)]
    if not wants_partial(request):
        return redirect(_after(request, taken))
    return render_page(request, "batches/uploaded.html", {"cards": taken})


def _after(request: WorkspaceRequest, taken: "list[BatchCard | RefusedFile]") -> str:
    """Where a plain form leads: to its one batch, else to the list."""
    match taken:
        case [BatchCard(batch=batch)]:
            return _batch_url(request, batch)
        case [RefusedFile() as refused]:
            messages.error(request, f"{refused.name}: {refused.message} {refused.mend}")
    return reverse("import", args=[request.workspace.slug])


def _take(request: WorkspaceRequest, file: "UploadedFile[Any]") -> BatchCard | RefusedFile:
    name = file.name or ""
    try:
        receipt = services.accept_transcript(workspace=request.workspace, file=cast("IO[bytes]", file), name=name)
    except BadInput as error:
        return RefusedFile(name, error.message, error.mend)
    if receipt.is_new:
        record_activity(
            workspace=request.workspace, actor=request.user, action="transcripts.imported", target=receipt.batch
        )
        tasks.wake(receipt.batch)
    return BatchCard(receipt.batch, batch_conversations(receipt.batch), already_known=not receipt.is_new)


def _batch_url(request: WorkspaceRequest, batch: Batch) -> str:
    return reverse("batch", args=[request.workspace.slug, batch.pk])


@member_required
@require_GET
def batch_page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What was found and every problem; htmx gets the card alone, while it waits."""
    batch = get_object_or_404(queries.batches_of(request.workspace), pk=pk)
    problems = page_of(_problems(request, batch), IN_ORDER, request.GET, size=PROBLEMS_SHOWN)
    context = {
        "card": BatchCard(batch, batch_conversations(batch)),
        "batch": batch,
        "page": problems,
        "may_redigest": may(request.membership, MemberRole.REVIEWER) and batch.raw_deleted_at is None,
    }
    return render_page(request, "batches/page.html", context, partial="batches/card.html")


def _problems(request: WorkspaceRequest, batch: Batch) -> QuerySet[BatchProblem]:
    return BatchProblem.objects.filter(workspace=request.workspace, batch=batch)


@member_required
@role_required(MemberRole.REVIEWER)
@require_POST
def redigest(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Make rows of its bytes again, for instance after an update that understands more."""
    batch = get_object_or_404(Batch, workspace=request.workspace, pk=pk)
    if services.redigest(Batch.objects.filter(pk=batch.pk)):
        record_activity(workspace=request.workspace, actor=request.user, action="batch.redigested", target=batch)
        tasks.wake(batch)
    return redirect(_batch_url(request, batch))
