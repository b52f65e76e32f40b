"""GET /api/v1/batches: what was sent, how far it is, what was found, and everything that was not understood."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from conversations import tasks
from conversations.api.authentication import KeyAuthentication, MayIngest, MayIngestOrRead, sender
from conversations.errors import BadInput
from conversations.ingest import queries, services
from conversations.models import Batch, BatchProblem
from conversations.people.activity import record_activity
from conversations.vocabulary import BatchState


class _Newest(CursorPagination):
    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500


class _InOrder(_Newest):
    ordering = "id"
    page_size = 100


class BatchListView(APIView):
    """The workspace's batches, newest first."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayIngestOrRead,)

    def get(self, request: Request) -> Response:
        """One page; `?state=pending|digested|failed` keeps only those."""
        batches = sender(request).workspace.batches.defer("checkpoint")
        state = request.query_params.get("state")
        if state:
            if state not in list(BatchState):
                raise BadInput(f'"{state[:40]}" is no state.', mend=f"Use {', '.join(BatchState)}.", at="state")
            batches = batches.filter(state=state)
        paginator = _Newest()
        page = paginator.paginate_queryset(batches, request, view=self)
        return paginator.get_paginated_response([queries.batch_summary(batch) for batch in page or []])


class BatchView(APIView):
    """One batch with what was found in it, and its problems in pages."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayIngestOrRead,)

    def get(self, request: Request, batch_id: int) -> Response:
        """`problems` is a page of its own: follow `problems.next`."""
        batch = _batch_of(request, batch_id)
        paginator = _InOrder()
        page = paginator.paginate_queryset(batch.problems.all(), request, view=self)
        problems = {"next": paginator.get_next_link(), "results": [_problem(problem) for problem in page or []]}
        conversations = [_conversation(conversation) for conversation in queries.batch_conversations(batch)]
        return Response(queries.batch_summary(batch) | {"conversations": conversations, "problems": problems})


class BatchRedigestView(APIView):
    """Make rows of a batch's bytes once more."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayIngest,)

    def post(self, request: Request, batch_id: int) -> HttpResponse:
        """202, or 422 where the bytes are gone."""
        batch = _batch_of(request, batch_id)
        if not services.redigest(Batch.objects.filter(pk=batch.pk)):
            raise BadInput("The bytes of this batch are not kept any more.", mend="Send the transcript again.")
        key = sender(request)
        record_activity(workspace=key.workspace, actor=key, action="batch.redigested", target=batch)
        batch.refresh_from_db()
        tasks.wake(batch)
        return Response(queries.batch_summary(batch), status=202)


def _batch_of(request: Request, batch_id: int) -> Batch:
    batch: Batch = get_object_or_404(sender(request).workspace.batches.defer("checkpoint"), pk=batch_id)
    return batch


def _conversation(conversation: Any) -> dict[str, Any]:
    return {
        "id": conversation.pk,
        "external_id": conversation.external_id,
        "title": conversation.title,
        "url": f"/api/v1/conversations/{conversation.pk}",
        "compactions": conversation.compaction_count,
    }


def _problem(problem: BatchProblem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "code": problem.code,
        "field": problem.field,
        "message": problem.message,
        "mend": problem.mend,
        "raw": problem.raw,
    }
