"""Read request bodies: streamed, decompressed, never more than allowed."""

import gzip
import zlib
from collections.abc import Iterator
from typing import IO, Any, cast

import zstandard
from django.conf import settings
from django.http import HttpRequest

from conversations.errors import BadInput, TooLarge

_PIECE = 256 * 1024
#: Ratios are only looked at beyond this: a short body of equal events may well shrink to a thousandth.
_RATIO_FROM = 4 * 1024 * 1024
#: What a zstd frame may ask for in memory; `zstd --long=27` and beyond is refused.
_WINDOW = 32 * 1024 * 1024
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class _Counted:
    """A stream that counts what was read, and may begin with bytes already taken from it."""

    def __init__(self, stream: Any, head: bytes = b"") -> None:
        self._stream, self._head, self.count = stream, head, 0

    def read(self, size: int = _PIECE) -> bytes:
        """At most `size` bytes."""
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
        else:
            piece = self._stream.read(size)
        self.count += len(piece)
        return piece


def read_body(request: HttpRequest, *, most: int) -> bytes:
    """The whole body, decompressed. Raises TooLarge, BadInput."""
    return b"".join(body_pieces(request, most=most))


def body_pieces(request: HttpRequest, *, most: int, sniff: bool = False) -> Iterator[bytes]:
    """The body piece by piece, decompressed by its Content-Encoding, or with `sniff` by its first bytes."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > most:
        raise _too_large(most)
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    yield from pieces(_stream_of(request), encoding, most=most, sniff=sniff)


def _stream_of(request: HttpRequest) -> Any:
    """Django reads nothing of a body without Content-Length; the server ends a chunked one by itself."""
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        return request.META["wsgi.input"]
    return request


def pieces(stream: Any, encoding: str, *, most: int, sniff: bool = False) -> Iterator[bytes]:
    """The stream decompressed; at most `most` bytes in all, at most MAX_COMPRESSION_RATIO times what came."""
    head = stream.read(4) if sniff and encoding in ("", "identity") else b""
    raw = _Counted(stream, head)
    reader = _reader(raw, encoding or _sniffed(head))
    total = 0
    while piece := _read(reader):
        total += len(piece)
        if total > most:
            raise _too_large(most)
        if total > _RATIO_FROM and total > raw.count * settings.MAX_COMPRESSION_RATIO:
            raise TooLarge(
                f"The body grows to more than {settings.MAX_COMPRESSION_RATIO} times its size when decompressed.",
                mend="Send it less compressed, or in several parts.",
            )
        yield piece


def _sniffed(head: bytes) -> str:
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def _reader(raw: _Counted, encoding: str) -> Any:
    if encoding in ("", "identity"):
        return raw
    if encoding in ("gzip", "x-gzip"):
        return gzip.GzipFile(fileobj=cast("IO[bytes]", raw))
    if encoding == "zstd":
        decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        return decompressor.stream_reader(cast("IO[bytes]", raw), read_across_frames=True)
    raise BadInput(
        f'Content-Encoding "{encoding[:40]}" is not read here.',
        mend="Send gzip, zstd or nothing.",
        at="Content-Encoding",
    )


def _read(reader: Any) -> bytes:
    try:
        return cast("bytes", reader.read(_PIECE))
    except (zlib.error, gzip.BadGzipFile, EOFError, zstandard.ZstdError) as error:
        raise BadInput(
            f"The body cannot be decompressed: {error}.",
            mend="Check that Content-Encoding says how it is compressed, and that it is complete.",
            at="Content-Encoding",
        ) from None


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body has more than {most:,} bytes.", mend="Send it in several parts.")
