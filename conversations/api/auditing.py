"""POST /api/v1/audit: a transcript in, what its compactions forgot out; nothing is stored."""

import json
from tempfile import NamedTemporaryFile
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from conversations.api.authentication import KeyAuthentication, MayIngestOrRead
from conversations.api.transcripts import upload
from conversations.audit import report
from conversations.audit.audit import AUDITOR_VERSION, audit_segment
from conversations.audit.segment import segments_of
from conversations.errors import OverRate, TooLarge, UnknownFormat
from conversations.ingest.events import Problem
from conversations.ingest.formats import parse_file

#: Compactions in one file: a sender waits about half a second for each.
MOST = 200
#: Problems told of one file.
PROBLEMS = 20
#: One at a time in each process: an audit takes a whole core, and the others' requests share it.
_turn = BoundedSemaphore(1)


class AuditView(APIView):
    """Audit one file: the raw body, or the one file of a form."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayIngestOrRead,)

    def post(self, request: Request) -> HttpResponse:
        """As `manage.py audit --json` prints it. The file is named by `?name=` or `X-Filename`."""
        name, content = upload(request._request, most=settings.MAX_AUDIT_BYTES)  # noqa: SLF001 -- DRF's own would parse it
        name = request.query_params.get("name") or request.headers.get("X-Filename") or name
        with NamedTemporaryFile(suffix=".jsonl") as file:  # all of it first: nobody's turn waits for a slow upload
            for piece in content:
                file.write(piece)
            file.flush()
            result = _in_turn(file.name, name)
        # ASCII: a transcript may hold half a surrogate pair, which UTF-8 cannot say.
        return HttpResponse(json.dumps(result), content_type="application/json")


def _in_turn(path: str, name: str) -> dict[str, Any]:
    if not _turn.acquire(blocking=False):
        raise OverRate("Another transcript is being audited.", mend="Send it again in some seconds.")
    try:
        return audited(path, name)
    except UnknownFormat as error:
        raise UnknownFormat("This is no transcript that is read here.", mend=error.mend) from None
    finally:
        _turn.release()


def audited(path: str, name: str) -> dict[str, Any]:
    """The report on one file, which it calls `name`. Raises UnknownFormat, TooLarge."""
    events, problems = parse_file(path).events_and_problems()
    segments = segments_of(events)
    if len(segments) > MOST:
        raise TooLarge(f"The file has {len(segments)} compactions.", mend="Send it to /api/v1/transcripts.")
    audits = [audit_segment(segment) for segment in segments]
    return report.as_json(name, audits, AUDITOR_VERSION) | {"problems": [_told(p) for p in problems[:PROBLEMS]]}


def _told(problem: Problem) -> dict[str, Any]:
    return {"line": problem.line, "code": problem.code, "message": problem.message}
