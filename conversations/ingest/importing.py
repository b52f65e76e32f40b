"""Import one transcript from a file of this machine: accepted and digested in one go."""

from dataclasses import dataclass
from pathlib import Path

from conversations.errors import ObservatoryError, UnknownFormat
from conversations.ingest.accept import accept_transcript
from conversations.ingest.digest import Digested, digest_claimed
from conversations.models import Batch, Workspace
from conversations.vocabulary import BatchState

_MOST_PROBLEMS = 20  # told of one file; the rest is counted


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. `state`: imported, known (no byte is new), unknown (no format read here), failed.

    `problems`: a sentence for each line that was not understood, the first 20. `error`: why it failed."""

    path: Path
    state: str
    size: int = 0  # bytes
    conversations: int = 0
    messages: int = 0
    requests: int = 0
    compactions: int = 0
    problem_count: int = 0
    problems: tuple[str, ...] = ()
    error: str = ""


def import_transcript(path: Path, *, workspace_id: int) -> tuple[Outcome, Digested]:
    """Never raises for what is wrong with the file: that is its outcome."""
    workspace = Workspace.objects.get(pk=workspace_id)
    try:
        with path.open("rb") as file:
            receipt = accept_transcript(workspace=workspace, file=file, name=path.name, claimed=True)
    except UnknownFormat as error:
        return Outcome(path, "unknown", error=error.message), Digested()
    except (ObservatoryError, OSError) as error:
        return Outcome(path, "failed", error=str(error)), Digested()
    digested = digest_claimed([receipt.batch]) if receipt.is_new else Digested()
    receipt.batch.refresh_from_db()
    return _outcome(path, receipt.batch, is_new=receipt.is_new), digested


def _outcome(path: Path, batch: Batch, *, is_new: bool) -> Outcome:
    if batch.state != BatchState.DIGESTED and is_new:
        return Outcome(path, "failed", size=batch.byte_count, error=batch.error)
    found = batch.found
    problems = batch.problems.order_by("id")[:_MOST_PROBLEMS] if is_new else ()
    return Outcome(
        path,
        "imported" if is_new else "known",
        size=batch.byte_count,
        conversations=len(found.get("conversations", ())),
        messages=found.get("messages", 0),
        requests=found.get("requests", 0),
        compactions=found.get("compactions", 0),
        problem_count=found.get("problems", 0),
        problems=tuple(f"line {problem.line or '?'}: {problem.message}" for problem in problems),
    )
