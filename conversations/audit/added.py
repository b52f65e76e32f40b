"""Find what a summary states without a source: requests nobody made, outcomes nothing shows, unseen values. Pure."""

import hashlib
import re
from collections.abc import Iterator

from conversations.audit.claims import unsupported_outcomes
from conversations.audit.model import Added, Segment
from conversations.audit.sources import Sources, Statement, grams, share, words
from conversations.audit.unseen import unseen_values
from conversations.vocabulary import SummaryState

INVENTED_REQUEST = "invented_request"
UNSUPPORTED_OUTCOME = "unsupported_outcome"
UNSEEN_VALUE = "unseen_value"

#: The wrapping that harnesses put around a summary. It was in the context, is no part of any message, and is quoted.
HARNESS_WORDS = (
    "This session is being continued from a previous conversation that ran out of context. The summary below covers "
    "the earlier portion of the conversation. Please continue the conversation from where we left off without asking "
    "the user any further questions. Continue with the last task that you were asked to work on."
)


def find_added(segment: Segment) -> list[Added]:
    """Statements without a source, in the order of the summary. Empty when what it covers is not all in the data."""
    if not segment.complete or segment.summary_state is not SummaryState.TEXT:
        return []
    lines = [*segment.dropped, *segment.kept]
    sources = Sources([*lines, *segment.restored], extra=f"{segment.cwd}\n{HARNESS_WORDS}")
    found = [
        *(_added(INVENTED_REQUEST, segment.summary, each) for each in invented_requests(segment.summary, sources)),
        *(_added(UNSUPPORTED_OUTCOME, segment.summary, each) for each in unsupported_outcomes(segment.summary, lines)),
        *(_added(UNSEEN_VALUE, segment.summary, each) for each in unseen_values(segment.summary, sources)),
    ]
    if found:
        known = _told_before(found, segment)
        found = [added for added in found if added.id not in known]
    once = {added.id: added for added in reversed(found)}
    return sorted(once.values(), key=lambda added: (added.start, added.end))


def _told_before(found: list[Added], segment: Segment) -> set[str]:
    """The ids of those that have a source in what earlier compactions dropped: the summary before may tell them
    without the words."""
    lines = segment.earlier()
    if not lines:
        return set()
    sources = Sources(lines)
    still = [
        *(_added(INVENTED_REQUEST, segment.summary, each) for each in invented_requests(segment.summary, sources)),
        *(_added(UNSUPPORTED_OUTCOME, segment.summary, each) for each in unsupported_outcomes(segment.summary, lines)),
        *(_added(UNSEEN_VALUE, segment.summary, each) for each in unseen_values(segment.summary, sources)),
    ]
    return {added.id for added in found} - {added.id for added in still}


def _added(kind: str, summary: str, statement: Statement) -> Added:
    """The same words twice are one statement: its id is made of them."""
    text = summary[statement.start : statement.end]
    digest = hashlib.sha256(f"{kind}\0{' '.join(text.casefold().split())}".encode(errors="surrogatepass"))
    return Added(
        id=digest.hexdigest()[:16],
        kind=kind,
        text=text,
        start=statement.start,
        end=statement.end,
        reason=statement.reason,
        probability=statement.probability,
    )


_ASKED = re.compile(
    r"\buser(?:'s)?\b[^\"“\n]{0,80}\b(?:ask|said|say|request|want|instruct|told|tell|correct|clarif|insist|feedback|"
    r"message|question|require|state|confirm|repl|point|explain|mention|add|note|suggest|challenge|report)\w*\b[^\"“\n]{0,40}$",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"\"([^\"\n]{12,2000})\"|“([^”\n]{12,2000})”")
_MESSAGES_HEADING = re.compile(
    r"\W{0,8}(?:\d{1,2}[.)]\s)?\W{0,8}(?:all )?user (?:messages|requests|feedback)\b.{0,40}$", re.IGNORECASE
)
_ANY_HEADING = re.compile(r"^(?:\d+[.)]\s+\**[A-Z]|#{1,6}\s)")
_ELISION = re.compile(r"\.\.\.|…|\[[^\]]{0,80}\]")
#: A quotation of which no more than this share of the runs of three words stands in user turns is not theirs. On 17
#: real summaries true quotations lie above .6, but one with a mended spelling ("to much" → "too much") at .33.
QUOTE_SHARE = 0.25
#: Above this share in what the agent said, the words are the agent's.
AGENTS_SHARE = 0.6
MIN_QUOTE_WORDS = 5
MAX_HEADING = 100


def invented_requests(summary: str, sources: Sources) -> Iterator[Statement]:
    """Quotations of the user that no user turn holds."""
    for start, end in _user_quotes(summary):
        said = [words(part) for part in _ELISION.split(summary[start:end])]
        runs = [gram for part in said for gram in grams(part)]
        if sum(map(len, said)) < MIN_QUOTE_WORDS or not runs or share(runs, sources.users) > QUOTE_SHARE:
            continue
        if share(runs, sources.agents) >= AGENTS_SHARE:
            reason = "The summary quotes the user, but these are the agent's own words; no user turn says them."
            yield Statement(start, end, reason, 0.8)
        elif share(runs, sources.tools) < QUOTE_SHARE:
            reason = "The summary quotes the user, but no user turn before this compaction says anything like it."
            yield Statement(start, end, reason, 0.9)


def _user_quotes(summary: str) -> Iterator[tuple[int, int]]:
    """Spans of what the summary puts between quotation marks and into the user's mouth."""
    listed, offset = False, 0
    for line in summary.splitlines(keepends=True):
        if _MESSAGES_HEADING.match(line[:MAX_HEADING].strip()):
            listed = True
        elif _ANY_HEADING.match(line):
            listed = False
        for match in _QUOTE.finditer(line):
            if listed or _ASKED.search(line[max(0, match.start() - 200) : match.start()]):
                group = 1 if match.group(1) is not None else 2
                yield offset + match.start(group), offset + match.end(group)
        offset += len(line)
