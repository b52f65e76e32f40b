"""Exchanges that could not be understood: their bytes are kept as a batch, with the problems, for a later version."""

from collections.abc import Sequence
from hashlib import sha256

from django.utils import timezone

from conversations.ingest import inbox
from conversations.ingest.events import Problem
from conversations.ingest.redacting import redacted_problem
from conversations.models import ApiKey, Batch, BatchProblem, Workspace
from conversations.redaction.settings import redactor_at_ingest
from conversations.vocabulary import BatchState, Redaction

SUFFIX = "_unread"  # of the formats of batches that hold what could not be understood


def keep_unread(
    workspace: Workspace, source: str, unread: Sequence[bytes], problems: Sequence[Problem], api_key: ApiKey | None
) -> Batch | None:
    """A batch of them, one a line, with what is wrong with each; None where there are none. Without the bytes where
    what comes is redacted for good: what cannot be understood cannot be redacted either."""
    if not unread:
        return None
    body = b"\n".join(unread)
    batch = Batch(workspace=workspace, api_key=api_key, format=unread_format(source), byte_count=len(body))
    batch.sha256, batch.rejected = sha256(body).digest(), len(problems)
    batch.state, batch.digested_at = BatchState.DIGESTED, timezone.now()
    if redactor := redactor_at_ingest(workspace):
        problems = [redacted_problem(problem, redactor) for problem in problems]
    if workspace.redaction == Redaction.INGEST:
        batch.raw_deleted_at = batch.digested_at
        batch.save()
    else:
        inbox.store_whole(batch, body)
    BatchProblem.objects.bulk_create(problem_row(batch, problem) for problem in problems)
    return batch


def unread_format(source: str) -> str:
    """The format of the batches that hold what could not be understood of a source."""
    return source + SUFFIX


def is_unread(batch: Batch) -> bool:
    """Whether it holds what could not be understood."""
    return batch.format.endswith(SUFFIX)


def problems_of(batch: Batch) -> list[Problem]:
    """What is wrong in it, as stored."""
    return [
        Problem(code=row.code, message=row.message, mend=row.mend, line=row.line, field=row.field, raw=row.raw)
        for row in batch.problems.order_by("id")
    ]


def problem_row(batch: Batch, problem: Problem) -> BatchProblem:
    """The problem as a row of its batch."""
    return BatchProblem(
        workspace_id=batch.workspace_id,
        batch=batch,
        line=problem.line,
        code=problem.code[:60],
        field=problem.field[:200],
        message=problem.message,
        mend=problem.mend,
        raw=problem.raw,
    )
