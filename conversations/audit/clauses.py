"""A rule or decision whose subject a summary keeps while the clause that limits it is gone."""

import re

from conversations.audit import presence
from conversations.audit.model import Detail, Judgement
from conversations.audit.passages import PassageIndex
from conversations.audit.text import bag, flat
from conversations.vocabulary import Outcome

#: The subject is kept when one window of the summary carries this share of its weight …
SUBJECT_KEPT = 0.75
#: … and the clause is gone when the passages around that window carry less than this share of it …
CLAUSE_GONE = 0.15
#: … and the rest of the summary is no more likely than this to tell it.
TOLD_ELSEWHERE = 0.2
#: Passages on either side of the window that may carry the clause.
AROUND = 2
#: Content words that make a subject, and a clause.
SUBJECT_WORDS, CLAUSE_WORDS = 3, 2

#: What begins a clause that limits, forbids or excludes. Reasons and circumstances are left out: they seldom bind.
_LIMIT = re.compile(
    r"(?:[,;(–—-]\s?|\s)(?=(?:unless|except(?: for)?|but not|but never|only (?:if|when|after|for|with|in)|without"
    r"|instead of|rather than|never|and not|not)\b)",
    re.IGNORECASE,
)


def unlimited(text: str, index: PassageIndex) -> Judgement | None:
    """Find the limiting clause of the rule `text` gone where the summary states its subject."""
    for cut in _LIMIT.finditer(text):
        subject, clause = text[: cut.start()], text[cut.end() :]
        if len(bag(subject)) < SUBJECT_WORDS or len(bag(clause)) < CLAUSE_WORDS:
            continue
        seen = presence.evidence(subject, index)
        if seen.window is None or seen.recall < SUBJECT_KEPT:
            continue
        if not _told(clause, seen.window, index):
            reason = f"The summary states the subject, but not its limit: “{clause.strip(' )*.')}”."
            return Judgement(Outcome.ALTERED, Detail.WEAKENED, 0.25, *index.span(*seen.window), "lost_clause", reason)
    return None


def _told(clause: str, window: tuple[int, int], index: PassageIndex) -> bool:
    """Whether the clause stands near the window, elsewhere in the summary, or in a kept message."""
    first, last = max(0, window[0] - AROUND), min(len(index.passages) - 1, window[1] + AROUND)
    near = index.share(clause, index.span(first, last)) >= CLAUSE_GONE
    return near or flat(clause) in index.kept_flat or presence.probability(clause, index) > TOLD_ELSEWHERE
