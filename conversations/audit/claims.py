"""Find the outcomes that a summary claims and no run shows: tests pass, it builds, it is deployed, pushed. Pure."""

import re
from collections.abc import Iterator, Sequence

from conversations.audit.calls import Call, calls_of, runs_of
from conversations.audit.model import Author, Line
from conversations.audit.sources import FENCE, Statement, overlaps, plain

_SENTENCE = re.compile(r"[^\n]+?(?:[.!?;](?=\s)|$)", re.MULTILINE)
_GOOD = (
    r"(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|(?:was|were|is|are) (?:successful|green|clean)|successful(?:ly)?|clean|"
    r"green|OK)\b"
)
_DONE = r"(?:was|were|been|successfully|and|I|changes|all)"
_TESTED = r"\btests?\b(?! (?:that|which|file|case|data|helper|code|step))[^.;:\n]{0,40}?\b"


def _pattern(*ways: str) -> re.Pattern[str]:
    return re.compile("|".join(ways), re.IGNORECASE)


_CLAIMS = {
    "test": _pattern(_TESTED + _GOOD, rf"\btest suites?\b[^.;:\n]{{0,30}}\b{_GOOD}"),
    "build": _pattern(
        rf"\b(?:builds?|compilation)\b[^.;:\n]{{0,30}}?\b{_GOOD}", r"\bcompiles (?:cleanly|successfully|fine|without)"
    ),
    "lint": _pattern(
        rf"\blint(?:er|ing)?\b[^.;:\n]{{0,25}}?\b{_GOOD}", r"\bno lint(?:ing|er)? (?:errors|issues|warnings)"
    ),
    "types": _pattern(rf"\btype-?\s?check(?:ing|s)?\b[^.;:\n]{{0,25}}?\b{_GOOD}", r"\bno type errors"),
    "deploy": _pattern(
        r"\b(?:was|were|been|successfully|and|now) deployed\b",
        r"\bdeployed (?:to|on) [\w`]",
        r"\bdeployment (?:succeeded|was successful)",
    ),
    "commit": _pattern(r"^\W*committed\b", rf"\b{_DONE} committed\b"),
    "push": _pattern(r"^\W*pushed\b", rf"\b{_DONE} pushed\b"),
    "merge": _pattern(r"^\W*merged (?:from|into|with|branch|main|PR)\b", r"\b(?:was|were|been|successfully) merged\b"),
}
#: Words that make a sentence a plan, a condition, a request or the opposite of a claim.
_NOT_A_CLAIM = re.compile(
    r"\b(?:not|no longer|never|cannot|should|will|would|could|need(?:s|ed)?|must|ensure|if|once|until|unless|when|"
    r"whether|yet|pending|to-?do|next|may|might|want(?:s|ed)?|before|after|plan(?:s|ned)?|expect(?:s|ed)?|criteria|"
    r"verify|verif(?:y|ies)ing|to (?:check|confirm|make|run|see)|run|ask(?:s|ed)?|request(?:s|ed)?|user|says?|said|"
    r"fail(?:s|ed|ing|ure|ures)?|previously|except|but|so that)\b|n't\b|\?|\[ \]",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:all|every|entire|full|whole)\b", re.IGNORECASE)
_NOUN = {"test": "test run", "build": "build", "lint": "lint run", "types": "type check", "deploy": "deployment",
         "commit": "commit", "push": "push", "merge": "merge"}  # fmt: skip


def unsupported_outcomes(summary: str, lines: Sequence[Line]) -> Iterator[Statement]:
    """Sentences that claim what no successful run shows, and no tool, user or earlier summary said either."""
    calls = calls_of(lines)
    others = (Author.TOOL_RESULT, Author.SUMMARY, Author.USER, Author.PASTED)
    said_by_others = [plain(line) for line in lines if line.author in others]
    for start, end in prose_sentences(summary):
        sentence = summary[start:end]
        if _NOT_A_CLAIM.search(sentence):
            continue
        for kind, pattern in _CLAIMS.items():
            if (why := _unsupported(kind, pattern, sentence, calls)) and not _is_said(said_by_others, pattern):
                yield Statement(start, end, *why)
                break


def _unsupported(kind: str, pattern: re.Pattern[str], sentence: str, calls: Sequence[Call]) -> tuple[str, float] | None:
    if not pattern.search(sentence):
        return None
    return _why_unsupported(kind, runs_of(calls, kind), whole=bool(_WHOLE.search(sentence)))


def _is_said(texts: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return any(_claims(text, pattern) for text in texts)


def _why_unsupported(kind: str, runs: Sequence[Call], *, whole: bool) -> tuple[str, float] | None:
    """The reason and its probability; None when a run that succeeded, or may have, stands behind it."""
    if not runs:
        return f"No {_NOUN[kind]} was run before this compaction.", 0.85
    if all(call.failed for call in runs):
        return f"Every {_NOUN[kind]} before this compaction failed ({len(runs)}).", 0.85
    if whole and runs[-1].failed and kind in ("test", "build"):
        return f"The last {_NOUN[kind]} before this compaction failed.", 0.6
    return None


def _claims(text: str, pattern: re.Pattern[str]) -> bool:
    return any(
        not _NOT_A_CLAIM.search(text[max(0, match.start() - 60) : match.end()]) for match in pattern.finditer(text)
    )


def prose_sentences(summary: str) -> Iterator[tuple[int, int]]:
    """Spans of sentences outside code fences and quotations of others."""
    fences = [match.span() for match in FENCE.finditer(summary)]
    for match in _SENTENCE.finditer(summary):
        text = match.group()
        if text.lstrip().startswith(">") or overlaps(match.start(), match.start() + 1, fences):
            continue
        lead = len(text) - len(text.lstrip())
        yield match.start() + lead, match.end() - (len(text) - len(text.rstrip()))
