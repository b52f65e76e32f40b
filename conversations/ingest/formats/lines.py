"""Decode one line of a JSONL log, whatever is in it, into values that Postgres can store.

msgspec does the work (it skips what the record type does not name, about 600 MB/s); what it refuses although real logs
hold it (half of a surrogate pair, NaN, raw control characters) takes the slow way through `json`.
"""

import json
import math
from typing import Any, TypeVar

import msgspec

from conversations.ingest.events import Problem

#: The longest line that is read. The longest real one seen is 3 MB (an image in base64).
MAX_LINE_BYTES = 64 * 1024 * 1024
#: Real records nest at most 14 deep. Beyond this the JSON decoders themselves give up.
MAX_DEPTH = 256
#: What `Problem.raw` keeps of the offending input.
RAW_CHARACTERS = 500

_INT64_MAX = 2**63 - 1

_OTHERS = "Look at the line in the file; everything around it was read."

T = TypeVar("T")


class BadLine(Exception):
    """A line that is no JSON object we can take; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem(code: str, message: str, *, mend: str = "", line: int | None = None, raw: bytes = b"") -> Problem:
    """A problem with the beginning of the input it is about, as storable text."""
    excerpt = clean_text(raw[: RAW_CHARACTERS * 4].decode("utf-8", "replace"))[:RAW_CHARACTERS]
    return Problem(code=code, message=message, mend=mend, line=line, raw=excerpt)


def decode_line(decoder: "msgspec.json.Decoder[T]", line: bytes, number: int) -> T:
    """One line as the decoder's type, free of NUL, lone surrogates and numbers that are none. Raises BadLine."""
    if len(line) > MAX_LINE_BYTES:
        raise BadLine(_too_large(line, number))
    try:
        # "\u0000" passes msgspec but not Postgres; the escape is looked for because a raw NUL is no JSON at all.
        if b"\\u0000" not in line:
            return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # the slow way below tells what is wrong, or reads it
    return _decode_slowly(decoder, line, number)


def _decode_slowly(decoder: "msgspec.json.Decoder[T]", line: bytes, number: int) -> T:
    try:
        value = json.loads(line.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None)
        return msgspec.convert(storable(value), decoder.type)
    except RecursionError:
        raise BadLine(_too_deep(line, number)) from None
    except msgspec.ValidationError:
        message = "This line is JSON but not an object."
        raise BadLine(problem("bad_json", message, mend=_OTHERS, line=number, raw=line)) from None
    except ValueError as error:
        message = f"This line is not JSON: {error}."
        raise BadLine(problem("bad_json", message, mend=_mend_json(line), line=number, raw=line)) from None


def _mend_json(line: bytes) -> str:
    if not line.rstrip().endswith(b"}"):
        return "It seems to be cut off; send the file again once it is written completely."
    return _OTHERS


def _too_large(line: bytes, number: int) -> Problem:
    message = f"This line is longer than {MAX_LINE_BYTES:,} bytes, the most that is read."
    return problem("too_large", message, mend="Split or shorten the record.", line=number, raw=line[:2000])


def _too_deep(line: bytes, number: int) -> Problem:
    message = f"This line nests deeper than {MAX_DEPTH} levels."
    return problem("too_deep", message, mend="Flatten the record.", line=number, raw=line[:2000])


def clean_text(text: str) -> str:
    """The text with U+FFFD where Postgres would refuse a character (NUL) or UTF-8 has none (half a surrogate pair)."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        # surrogatepass joins halves that belong together; "replace" then marks the lonely ones.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable(value: Any, depth: int = 0) -> Any:
    """The JSON value with storable strings and numbers. Raises RecursionError beyond MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > _INT64_MAX:
        return float(value) if abs(value) < 10**308 else None
    return value
