"""POST /api/v1/transcripts: a whole session file of a known harness, recognised by its content."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from conversations.api.authentication import KeyAuthentication, MayIngest, sender
from conversations.api.bodies import body_pieces, pieces
from conversations.api.events import answer, hand_on, wants_to_wait
from conversations.errors import BadInput
from conversations.ingest import services

#: Smaller files are not written to disk before they are stored.
_IN_MEMORY = 8 * 1024 * 1024


class TranscriptView(APIView):
    """One file in: as the raw body, or as the one file of a form."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayIngest,)

    def post(self, request: Request) -> HttpResponse:
        """Take the file, and with `?wait=1` digest it before answering. It is named by `?name=` or `X-Filename`."""
        wait = wants_to_wait(request)
        name, content = upload(request._request, most=settings.MAX_TRANSCRIPT_BYTES)  # noqa: SLF001 -- DRF's own would parse it
        # On disk first: whether the file is known is only clear at its end, and a slow upload must hold no transaction.
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            for piece in content:
                file.write(piece)
            file.seek(0)
            receipt = services.accept_transcript(
                workspace=sender(request).workspace,
                api_key=sender(request),
                file=cast("IO[bytes]", file),
                name=request.query_params.get("name") or request.headers.get("X-Filename") or name,
                claimed=wait,
            )
        hand_on(receipt, wait=wait)
        return answer(receipt)


def upload(request: HttpRequest, *, most: int) -> tuple[str, Iterator[bytes]]:
    """The file's name and content, decompressed: the raw body, or the one file of a form. Raises BadInput, TooLarge."""
    if request.content_type != "multipart/form-data":
        return "", body_pieces(request, most=most, sniff=True)
    files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    if len(files) != 1:
        raise BadInput(f"The form holds {len(files)} files.", mend='Send one file, as the field "file".', at="file")
    return files[0].name or "", pieces(files[0], "", most=most, sniff=True)
