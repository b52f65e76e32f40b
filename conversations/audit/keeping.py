"""Keep what was said at a boundary for the next audit of the same compaction, whichever process makes it."""

from datetime import timedelta
from functools import cache

import msgspec
import zstandard
from django.db.models import QuerySet
from django.utils import timezone

from conversations.audit.audit import AUDITOR_VERSION
from conversations.audit.boundary import AtBoundary
from conversations.models import BoundaryWork, Compaction

#: A conversation that has not gone on for so long is worth no space: if it does, its facts are judged again. MEASURED
#: on 17 real compactions: 10 to 110 kB each, the median 48; to write one takes 13 ms of CPU and to read it 8, to judge
#: the facts 500.
KEPT_FOR = timedelta(days=1)


class Shelf:
    """The row of one compaction. Read while it is audited, written when the audit is stored, if it is to be kept."""

    def __init__(self, compaction: Compaction) -> None:
        self._compaction = compaction
        self._used: tuple[bytes, AtBoundary] | None = None

    def get(self, digest: bytes) -> AtBoundary | None:
        """What this version of the auditor said of the same texts."""
        rows = self._rows().filter(digest=digest, version=AUDITOR_VERSION)
        return next((_read(bytes(row.body)) for row in rows), None)

    def use(self, digest: bytes, known: AtBoundary) -> None:
        """Note what the audit rests on."""
        self._used = digest, known

    def store(self, *, goes_on: bool) -> None:
        """Keep that, and nothing else: older words must not stay. Where no message more would be read (`goes_on` is
        False), or nothing was judged, the row goes."""
        rows = self._rows()
        if self._used is None or not goes_on:
            rows.delete()
            return
        digest, known = self._used
        if rows.filter(digest=digest, version=AUDITOR_VERSION).update(at=timezone.now()):
            return
        values = {"digest": digest, "version": AUDITOR_VERSION, "body": _written(known), "at": timezone.now()}
        rows.update_or_create(workspace_id=self._compaction.workspace_id, compaction=self._compaction, defaults=values)

    def _rows(self) -> QuerySet[BoundaryWork]:
        return BoundaryWork.objects.filter(workspace=self._compaction.workspace_id, compaction=self._compaction)


def drop_idle() -> int:
    """Delete what no audit has used for `KEPT_FOR`; returns how many rows."""
    return BoundaryWork.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _written(known: AtBoundary) -> bytes:
    return zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(known))


def _read(body: bytes) -> AtBoundary | None:
    """None where a release with other fields wrote it."""
    try:
        return _decoder().decode(zstandard.ZstdDecompressor().decompress(body))
    except msgspec.ValidationError:
        return None


@cache
def _decoder() -> msgspec.msgpack.Decoder[AtBoundary]:
    return msgspec.msgpack.Decoder(AtBoundary)
