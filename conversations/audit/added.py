"""Find what the summary states without a source in what it covers: invented requests, unsupported outcomes, unseen values."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence

from conversations.audit.calls import Call, calls_of, runs_of
from conversations.audit.model import Added, Author, Segment
from conversations.audit.sources import Sources, canonical_number, grams, plain, share, words
from conversations.vocabulary import SummaryState

INVENTED_REQUEST = "invented_request"
UNSUPPORTED_OUTCOME = "unsupported_outcome"
UNSEEN_VALUE = "unseen_value"

#: The wrapping that harnesses put around a summary. It was in the context, is no part of any message, and is quoted.
HARNESS_WORDS = (
    "This session is being continued from a previous conversation that ran out of context. The summary below covers the "
    "earlier portion of the conversation. Please continue the conversation from where we left off without asking the user "
    "any further questions. Continue with the last task that you were asked to work on."
)

_SENTENCE = re.compile(r"[^\n]+?(?:[.!?;](?=\s)|$)", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


def find_added(segment: Segment) -> list[Added]:
    """Statements without a source, in the order of the summary. Empty when what it covers is not all in the data."""
    if not segment.complete or segment.summary_state is not SummaryState.TEXT:
        return []
    lines = [*segment.dropped, *segment.kept]
    sources = Sources([*lines, *segment.restored], extra=f"{segment.cwd}\n{HARNESS_WORDS}")
    found = [
        *_invented_requests(segment.summary, sources),
        *_unsupported_outcomes(segment, sources, calls_of(lines)),
        *_unseen_values(segment.summary, sources),
    ]
    return sorted(found, key=lambda added: (added.start, added.end))


def _added(kind: str, summary: str, span: tuple[int, int], reason: str, probability: float) -> Added:
    start, end = span
    text = summary[start:end]
    digest = hashlib.sha256(f"{kind}\0{' '.join(words(text))}".encode()).hexdigest()[:16]
    return Added(digest, kind, text, start, end, reason, probability)


# --- requests the user never made ------------------------------------------------------------------------------------

_ASKED = re.compile(
    r"\buser(?:'s)?\b[^\"“\n]{0,80}\b(?:ask|said|say|request|want|instruct|told|tell|correct|clarif|insist|feedback|"
    r"message|question|require|state|confirm|repl|point|explain|mention|add|note|suggest|challenge|report)\w*\b[^\"“\n]{0,40}$",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"\"([^\"\n]{12,2000})\"|“([^”\n]{12,2000})”")
_MESSAGES_HEADING = re.compile(
    r"^\W*(?:\d+[.)]\s*)?\W*(?:all )?user (?:messages|requests|feedback)\b.{0,40}$", re.IGNORECASE
)
_ANY_HEADING = re.compile(r"^(?:\d+[.)]\s+\**[A-Z]|#{1,6}\s)")
_ELISION = re.compile(r"\.\.\.|…|\[[^\]]{0,80}\]")
#: A quotation of which no more than this share of the runs of three words stands in user turns is not theirs. On 17 real
#: summaries true quotations lie above .6, but one with a mended spelling ("to much" → "too much") at .33.
QUOTE_SHARE = 0.25
MIN_QUOTE_WORDS = 5


def _invented_requests(summary: str, sources: Sources) -> Iterator[Added]:
    for start, end in _user_quotes(summary):
        said = [words(part) for part in _ELISION.split(summary[start:end])]
        runs = [gram for part in said for gram in grams(part)]
        if sum(map(len, said)) < MIN_QUOTE_WORDS or not runs or share(runs, sources.users) > QUOTE_SHARE:
            continue
        if share(runs, sources.agents) >= 0.6:
            reason = "The summary quotes the user, but these are the agent's own words; no user turn says them."
            yield _added(INVENTED_REQUEST, summary, (start, end), reason, 0.8)
        elif share(runs, sources.tools) < QUOTE_SHARE:
            reason = "The summary quotes the user, but no user turn before this compaction says anything like it."
            yield _added(INVENTED_REQUEST, summary, (start, end), reason, 0.9)


def _user_quotes(summary: str) -> Iterator[tuple[int, int]]:
    """Spans of what the summary puts between quotation marks and into the user's mouth."""
    listed, offset = False, 0
    for line in summary.splitlines(keepends=True):
        if _MESSAGES_HEADING.match(line.strip()):
            listed = True
        elif _ANY_HEADING.match(line):
            listed = False
        for match in _QUOTE.finditer(line):
            if listed or _ASKED.search(line[max(0, match.start() - 200) : match.start()]):
                group = 1 if match.group(1) is not None else 2
                yield offset + match.start(group), offset + match.end(group)
        offset += len(line)


# --- outcomes nothing shows ------------------------------------------------------------------------------------------

_PASS = r"(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|(?:was|were|is|are) (?:successful|green|clean)|successful(?:ly)?|clean|green|OK)\b"
_CLAIMS = {
    "test": re.compile(
        rf"\btests?\b(?! (?:that|which|file|case|data|helper|code|step))[^.;:\n]{{0,40}}?\b{_PASS}|\btest suites?\b[^.;:\n]{{0,30}}\b{_PASS}",
        re.IGNORECASE,
    ),
    "build": re.compile(
        rf"\b(?:builds?|compilation)\b[^.;:\n]{{0,30}}?\b{_PASS}|\bcompiles (?:cleanly|successfully|fine|without)",
        re.IGNORECASE,
    ),
    "lint": re.compile(
        rf"\blint(?:er|ing)?\b[^.;:\n]{{0,25}}?\b{_PASS}|\bno lint(?:ing|er)? (?:errors|issues|warnings)", re.IGNORECASE
    ),
    "types": re.compile(rf"\btype-?\s?check(?:ing|s)?\b[^.;:\n]{{0,25}}?\b{_PASS}|\bno type errors", re.IGNORECASE),
    "deploy": re.compile(
        r"\b(?:was|were|been|successfully|and|now) deployed\b|\bdeployed (?:to|on) [\w`]|\bdeployment (?:succeeded|was successful)",
        re.IGNORECASE,
    ),
    "commit": re.compile(
        r"^\W*committed\b|\b(?:was|were|been|successfully|and|I|changes|all) committed\b", re.IGNORECASE
    ),
    "push": re.compile(r"^\W*pushed\b|\b(?:was|were|been|successfully|and|I|changes|all) pushed\b", re.IGNORECASE),
    "merge": re.compile(
        r"^\W*merged (?:from|into|with|branch|main|PR)\b|\b(?:was|were|been|successfully) merged\b", re.IGNORECASE
    ),
}
#: Words that make a sentence a plan, a condition, a request or the opposite of a claim.
_NOT_A_CLAIM = re.compile(
    r"\b(?:not|no longer|never|n't|cannot|should|will|would|could|need(?:s|ed)?|must|ensure|if|once|until|unless|when|whether|"
    r"yet|pending|to-?do|next|may|might|want(?:s|ed)?|before|after|plan(?:s|ned)?|expect(?:s|ed)?|criteria|verify|verif(?:y|ies)ing|"
    r"to (?:check|confirm|make|run|see)|run|ask(?:s|ed)?|request(?:s|ed)?|user|says?|said|fail(?:s|ed|ing|ure|ures)?|previously|except|but|so that)\b|\?|\[ \]",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:all|every|entire|full|whole)\b", re.IGNORECASE)
_NOUN = {"test": "test run", "build": "build", "lint": "lint run", "types": "type check", "deploy": "deployment",
         "commit": "commit", "push": "push", "merge": "merge"}  # fmt: skip


def _unsupported_outcomes(segment: Segment, sources: Sources, calls: Sequence[Call]) -> Iterator[Added]:
    said_by_others = [
        plain(line)
        for line in sources.lines
        if line.author in (Author.TOOL_RESULT, Author.SUMMARY, Author.USER, Author.PASTED)
    ]
    for start, end in _prose_sentences(segment.summary):
        sentence = segment.summary[start:end]
        if _NOT_A_CLAIM.search(sentence):
            continue
        for kind, pattern in _CLAIMS.items():
            if not (match := pattern.search(sentence)):
                continue
            runs = runs_of(calls, kind)
            if reason := _why_unsupported(kind, runs, whole=bool(_WHOLE.search(sentence))):
                if any(_claims(text, pattern) for text in said_by_others):
                    continue
                yield _added(UNSUPPORTED_OUTCOME, segment.summary, (start, end), *reason)
                break


def _why_unsupported(kind: str, runs: Sequence[Call], *, whole: bool) -> tuple[str, float] | None:
    """The reason and its probability; None when a successful run, or one whose outcome is not in the data, stands behind it."""
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


def _prose_sentences(summary: str) -> Iterator[tuple[int, int]]:
    """Spans of sentences outside code fences and quotations of others."""
    fences = [match.span() for match in _FENCE.finditer(summary)]
    for match in _SENTENCE.finditer(summary):
        text = match.group()
        if text.lstrip().startswith(">") or any(start <= match.start() < end for start, end in fences):
            continue
        lead = len(text) - len(text.lstrip())
        yield match.start() + lead, match.end() - (len(text) - len(text.rstrip()))


# --- values never seen -----------------------------------------------------------------------------------------------

_URL = re.compile(r"https?://[^\s`'\"<>)\]}]+")
#: Absolute, or with an extension, or of three parts: "pros/cons" and "read/write" are words.
_PATH = re.compile(
    r"(?<![\w/.@$:-])(?:~?/(?:[\w.@-]+/)+[\w.@-]*\w|(?:[\w.@-]+/){2,}[\w.@-]*\w|(?:[\w.@-]+/)+[\w@-]+\.[A-Za-z]\w{0,5}\b)"
)
_FILE = re.compile(r"(?<![\w/.@$*<{-])[\w-]{2,80}(?:\.[\w-]{1,40}){0,3}\.[A-Za-z][A-Za-z0-9]{0,5}(?![\w/(])")
_HASH = re.compile(r"(?<![\w/.-])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}(?![\w-])")
_DOTTED = re.compile(r"(?<![\w.])v?\d{1,6}(?:\.\d{1,6}){2,3}(?![\w.]*\w)")
_NUMBER = re.compile(r"(?<![\w.,/#:-])(?:\d{1,3}(?:,\d{3})+|\d{3,9})(?:\.\d+)?(?![\w,%/-]|\.\d)")
#: What follows is a suggestion, not something that is said to be there.
_EXAMPLE = re.compile(
    r"(?:\be\.g\.|\bfor example|\bsuch as|\bsomething like|\blike|\bcalled|\bnamed|≈|~|\babout|\baround|\bapprox\w*\.?)[,:]?\s*[`\"'(*]*$",
    re.IGNORECASE,
)
#: Pieces of a name shorter than this prove nothing by standing somewhere else.
MIN_PIECE = 10


def _unseen_values(summary: str, sources: Sources) -> Iterator[Added]:
    taken = [match.span() for match in _FENCE.finditer(summary)]
    for noun, pattern, is_seen in _VALUES:
        for match in pattern.finditer(summary):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            taken.append(match.span())
            if is_seen(match.group(), sources) or _EXAMPLE.search(summary, max(0, match.start() - 30), match.start()):
                continue
            reason = f"This {noun} occurs nowhere in what the summary covers."
            yield _added(UNSEEN_VALUE, summary, match.span(), reason, 0.8)


def _seen_path(value: str, sources: Sources) -> bool:
    """Whether each part was seen: the agent joins what it saw ("cd api", "src/x.ts") and that is no invention."""
    parts = re.findall(r"[a-z0-9_$@%+~.-]{2,200}", value.casefold().split("?")[0])
    return all(_seen_name(part, sources) for part in parts)


def _seen_name(part: str, sources: Sources) -> bool:
    bare = part.strip(".-~+")
    return not bare or part in sources.tokens or bare in sources.tokens or _is_derived(bare, sources)


def _is_derived(name: str, sources: Sources) -> bool:
    """Whether it is the end of a longer name ("condensation.go"), or made of long pieces that were seen: the class in
    `1740300000000-SharesIndex.ts` names the file where the path itself was blanked out before we got the log."""
    if sources.ends_a_name(name):
        return True
    pieces = re.split(r"[-_.]", name)
    return max(map(len, pieces)) >= MIN_PIECE and all(sources.within_a_name(piece) for piece in pieces)


def _seen_hash(value: str, sources: Sources) -> bool:
    return sources.has_hash(value)


def _seen_dotted(value: str, sources: Sources) -> bool:
    bare = value.lstrip("v")
    return bare in sources.numbers or bare in sources.tokens or value in sources.tokens


def _seen_number(value: str, sources: Sources) -> bool:
    """A round number is an estimate of something that was seen."""
    number = canonical_number(value)
    return number in sources.numbers or number in sources.tokens or number.endswith("00")


_VALUES: tuple[tuple[str, re.Pattern[str], Callable[[str, Sources], bool]], ...] = (
    ("address", _URL, _seen_path),
    ("path", _PATH, _seen_path),
    ("hash", _HASH, _seen_hash),
    ("version or address", _DOTTED, _seen_dotted),
    ("file name", _FILE, _seen_path),
    ("number", _NUMBER, _seen_number),
)
