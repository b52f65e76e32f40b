"""Rows of an evaluation set without secrets: placeholders in their texts, and places that fit these texts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conversations.redaction.redactor import Redactor

_CUT = "…"
#: By the list that they stand in: what is text, and no id.
_TEXTS = {
    "facts": ("text", "quote"),
    "labels": ("text", "reworded"),
    "missed": ("text", "quote"),
    "invented": ("text", "quote"),
    "reviews": ("comment",),
}


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what was found, and where everything else went. Offsets in characters."""

    text: str
    moves: tuple[tuple[int, int, int, int], ...]  # of each secret: from, to, and its placeholder's from, to

    @classmethod
    def of(cls, text: str, redactor: Redactor) -> "Redacted":
        """By the redactor's detectors."""
        parts: list[str] = []
        moves: list[tuple[int, int, int, int]] = []
        end = length = 0
        for span in redactor.spans(text):
            before, instead = text[end : span.start], redactor.placeholder(span.label, text[span.start : span.end])
            parts += [before, instead]
            begin = length + len(before)
            length, end = begin + len(instead), span.end
            moves.append((span.start, span.end, begin, length))
        return cls("".join((*parts, text[end:])), tuple(moves))

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a place of the original stands; one that begins or ends within a secret holds all of its placeholder,
        as half a secret is one that no detector knows."""
        return self._moved(start, at_end=False), self._moved(end, at_end=True)

    def _moved(self, offset: int, *, at_end: bool) -> int:
        shift = 0
        for start, end, new_start, new_end in self.moves:
            if offset <= start:
                break
            if offset < end:
                return new_end if at_end else new_start
            shift = new_end - end
        return offset + shift


def redacted_row(row: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """A row with its `dropped` messages, whose texts `missed` places point into."""
    blocks = {
        (message["message"], block["block"]): Redacted.of(block["text"], redactor)
        for message in row["dropped"]
        for block in message["blocks"]
    }
    summary = Redacted.of(row["summary"] or "", redactor)
    lists = {name: [_without(each, names, redactor) for each in row[name]] for name, names in _TEXTS.items()}
    return {
        **row,
        **lists,
        "instructions": redactor.text(row["instructions"]),
        "summary": summary.text or None,
        "missed": [_moved(each, blocks.get((each["message"], each["block"]))) for each in lists["missed"]],
        "invented": [_moved(each, summary) for each in lists["invented"]],
        "dropped": [
            {**message, "blocks": [
                {**block, "text": blocks[message["message"], block["block"]].text} for block in message["blocks"]
            ]}
            for message in row["dropped"]
        ],
    }  # fmt: skip


def _without(row: Mapping[str, Any], names: tuple[str, ...], redactor: Redactor) -> dict[str, Any]:
    return {**row, **{name: _text(row[name], redactor) for name in names}}


def _text(text: str, redactor: Redactor) -> str:
    return redactor.cut_text(text) if text.endswith(_CUT) else redactor.text(text)


def _moved(mark: dict[str, Any], text: Redacted | None) -> dict[str, Any]:
    """A mark on its words. Of a text that is not there any more nobody knows which they are."""
    if text is None:
        return {**mark, "quote": "", "start": None, "end": None}
    start, end = text.place(mark["start"], mark["end"])
    return {**mark, "start": start, "end": end, "quote": text.text[start:end]}
