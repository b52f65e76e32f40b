"""Text → what of it is secret → the text without: each secret a placeholder that names its detector."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from conversations.redaction.detectors import BY_NAME, Finder, finders_of
from conversations.redaction.expressions import any_of, custom

#: "[email #a1b2c3]": left alone whenever it is met again, so that redacting twice changes nothing.
PLACEHOLDER = re.compile(r"\[[a-z0-9][a-z0-9 ._-]{0,39} #[0-9a-f]{6}(?:[0-9a-f]{6})?\]")
#: One that leads back, of redaction at display: 48 bits, so that of 10,000 secrets no two share one (1 in 5,600,000).
LEADS_BACK = re.compile(r"\[[a-z0-9][a-z0-9 ._-]{0,39} #[0-9a-f]{12}\]")
_BYTES, _BYTES_THAT_LEAD_BACK = 3, 6  # of the hash in a placeholder
#: What may be a name of a custom pattern, as it stands in a placeholder.
NAME = re.compile(r"[a-z0-9][a-z0-9 ._-]{0,39}")
_CUT = "…"
#: Delimiters that some expressions of the library take along.
_AROUND = " \t\r\n\"'=:"
#: Taking a secret out may bring another to light, "AKIA…" that was the end of a longer word. A text in which that goes
#: on for longer was made for it: what still shows a secret then is taken out whole.
_MOST_ROUNDS = 6
#: The end of a text that may be the beginning of a secret: a word, with the groups of digits before it.
_HALF = re.compile(r"(?:[A-Z+]{0,2}\d[\dA-Z .()/-]*)?[^\s\]]*" + f"{_CUT}?$")
_FEWEST_DIGITS = 10**11  # of a JSON number that may be a card's


@dataclass(frozen=True, slots=True)
class Span:
    """`start` and `end` in characters of the original text; `label` names the detector."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class _Kind:
    label: str
    finders: tuple[Finder, ...]


class Redactor:
    """The detectors and patterns of one workspace. Holds no state beside them: one may serve many threads."""

    def __init__(self, detectors: Iterable[str], patterns: Mapping[str, str], key: bytes) -> None:
        """Names of detectors (unknown ones are left out), custom expressions by name, and the key of the hashes.

        Raises BadExpression."""
        names = [name for name in dict.fromkeys(detectors) if name in BY_NAME]
        self._key = key
        self._kinds = [_Kind(BY_NAME[name].label, finders_of(name)) for name in names]
        self._hints = any_of(BY_NAME[name].hint for name in names) if names else None
        self._own = [_Kind(name, (Finder(custom(text), 0, None),)) for name, text in patterns.items()]

    def text(self, text: str) -> str:
        """The text without what was found; the very same object where nothing was."""
        spans = self.spans(text)
        if not spans:
            return text
        parts, end = [], 0
        for span in spans:
            parts += [text[end : span.start], self.placeholder(span.label, text[span.start : span.end])]
            end = span.end
        return "".join((*parts, text[end:]))

    def cut_text(self, text: str) -> str:
        """The same of a text that was cut after some characters: half a secret is one that no detector knows, so that
        the last word goes, and numbers before it. Done twice, it changes nothing."""
        without = self.text(text)
        if without in {"", _CUT} or without.endswith(f" {_CUT}"):
            return without
        return f"{_HALF.sub('', without, count=1).rstrip()} {_CUT}".lstrip()

    def spans(self, text: str) -> list[Span]:
        """What is secret in it, in order, none overlapping another."""
        if not self._own and not (self._hints and self._hints.Match(text)):
            return []  # nearly every text, after one pass
        found: list[Span] = []
        for start, end in _between_placeholders(text):
            self._search(text, start, end, found, rounds=_MOST_ROUNDS)
        return sorted(found, key=lambda span: span.start)

    def value(self, value: Any, cut_at: int | None = None) -> Any:
        """The same of everything that is text in a JSON value, keys included; the very same object where nothing is.
        Texts of `cut_at` characters were cut there."""
        match value:
            case str():
                return self.cut_text(value) if len(value) == cut_at else self.text(value)
            case dict():
                changed = {self.text(key): self.value(each, cut_at) for key, each in value.items()}
            case list():
                changed = [self.value(each, cut_at) for each in value]  # type: ignore[assignment] # of another kind
            case int() if abs(value) >= _FEWEST_DIGITS:
                digits = str(value)
                without = self.text(digits)
                return value if without is digits else without
            case _:
                return value
        return value if changed == value else changed

    def placeholder(self, label: str, secret: str) -> str:
        """What stands where a secret stood: equal secrets look equal, and nobody can guess back."""
        return _placeholder(label, secret, self._key, _BYTES)

    def fingerprint(self, content: bytes) -> bytes:
        """16 bytes by which a content is known again without being kept, and without being guessed."""
        return fingerprint_of(content, self._key)

    # --- searching ----------------------------------------------------------------------------------------------------

    def _search(self, text: str, start: int, end: int, found: list[Span], *, rounds: int) -> None:
        """Add what is between `start` and `end`; then look again at what is left between that."""
        piece = text[start:end]
        spans = _merged(self._matches(piece))
        if spans and not rounds:
            found.append(Span(start, end, spans[0].label))
            return
        left = 0
        for span in spans:
            found.append(Span(start + span.start, start + span.end, span.label))
            self._search(text, start + left, start + span.start, found, rounds=rounds - 1)
            left = span.end
        if spans:
            self._search(text, start + left, end, found, rounds=rounds - 1)

    def _matches(self, text: str) -> Iterator[Span]:
        if not text:
            return
        hinted = (self._hints.Match(text) or ()) if self._hints else ()
        for kind in (*(self._kinds[index] for index in hinted), *self._own):
            for finder in kind.finders:
                for match in finder.pattern.finditer(text):
                    if span := _span(finder, match, kind.label):
                        yield span


class KeepingRedactor(Redactor):
    """The same with placeholders that lead back. `taken` gathers what each stands for: one belongs to one job."""

    def __init__(self, like: Redactor) -> None:
        self.__dict__.update(like.__dict__)  # what was compiled is shared
        self.taken: dict[str, str] = {}

    def placeholder(self, label: str, secret: str) -> str:
        """Longer, and noted with its secret."""
        made = _placeholder(label, secret, self._key, _BYTES_THAT_LEAD_BACK)
        self.taken[made] = secret
        return made

    def take(self) -> dict[str, str]:
        """What was taken out since the last time: secrets by placeholder."""
        taken, self.taken = self.taken, {}
        return taken


class Restorer(Redactor):
    """The way back: puts in what placeholders stand for, as far as that is known."""

    def __init__(self, secrets_of: Callable[[Iterable[str]], Mapping[str, str]]) -> None:
        """`secrets_of` gives the secrets of some placeholders."""
        self._secrets_of = secrets_of

    def text(self, text: str) -> str:
        """The text as it was; the very same object where nothing is put in."""
        if " #" not in text or not (found := LEADS_BACK.findall(text)):
            return text
        known = self._secrets_of(found)
        return LEADS_BACK.sub(lambda each: known.get(each[0], each[0]), text) if known else text

    def cut_text(self, text: str) -> str:
        """What was cut off is nowhere."""
        return self.text(text)


def _placeholder(label: str, secret: str, key: bytes, size: int) -> str:
    return f"[{label} #{blake2b(secret.encode(), digest_size=size, key=key).hexdigest()}]"


def fingerprint_of(content: bytes, key: bytes) -> bytes:
    """The same without a redactor."""
    return blake2b(content, digest_size=16, key=key, person=b"content").digest()


def _span(finder: Finder, match: Any, label: str) -> Span | None:
    start, end = match.span(finder.group)
    if start < 0:  # of another alternative of the expression
        start, end = match.span()
    secret = match.string[start:end]
    start += len(secret) - len(secret.lstrip(_AROUND))
    end -= len(secret) - len(secret.rstrip(_AROUND))
    end = start + _genuine(finder, match.string[start:end])
    return Span(start, end, label) if end > start else None


def _genuine(finder: Finder, secret: str) -> int:
    """How many characters of it pass the detector's check: words that follow a number may look like a part of it."""
    while finder.check is not None and secret and not finder.check(secret):
        secret = secret[: max(secret.rfind(" "), 0)]
    return len(secret)


def _merged(spans: Iterable[Span]) -> Sequence[Span]:
    """Those that overlap become one, named by the longer: of neither anything may remain."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        if merged and span.start < merged[-1].end:
            before = merged[-1]
            longer = max(before, span, key=lambda each: each.end - each.start)
            merged[-1] = Span(before.start, max(before.end, span.end), longer.label)
        else:
            merged.append(span)
    return merged


def _between_placeholders(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    if " #" in text:
        for placeholder in PLACEHOLDER.finditer(text):
            yield end, placeholder.start()
            end = placeholder.end()
    yield end, len(text)
