"""Whether words say the opposite of a rule: what it forbids told as a duty, what it demands told as forbidden. Pure."""

import re

from conversations.audit.modality import PROHIBITION, REQUIREMENT, Change
from conversations.audit.model import Detail
from conversations.audit.patterns import AnyCase
from conversations.audit.text import content_stems

#: Words of a passage that may still carry a prohibition. Narrower than `modality.EXCLUDES`: beside "must" and "always"
#: a prohibition needs one of these.
_FORBIDS = AnyCase(
    r"(?<![\w-])(?:no[tr]?|never|none|nothing|nobody|\w+n['’]t|cannot|without|except|only|avoid\w*|forb[ia]d\w*"
    r"|prohibit\w*|disallow\w*|exclu\w+|instead|rather|refus\w+|off[- ]limits|read-only|untouched|unchanged|leave"
    r"|stop\w*|ban\w*)(?![\w-])"
)
#: A duty in its strong form, or as advice.
_DEMANDS = AnyCase(
    r"(?<![\w-])(?:must|always|should|shall|has to|have to|required to|make sure to|be sure to)(?![\w-])"
)
#: What stands right before words of the same line that are thereby denied.
_DENIED = re.compile(
    r"(?:\bnever|\bnot|n['’]t|\bno longer|\bwithout|\bstop|\bavoid|\binstead of|\brather than)"
    r"(?:[ \t]+(?:to|ever|need|needs|have|has|be|necessary|required)){0,3}[ \t\"'`“*_:]*$",
    re.IGNORECASE,
)


def reversed_in(rule: str, passage: str) -> Change | None:
    """Find the rule told the other way round in the passage."""
    forbids = PROHIBITION.search(rule)
    return _now_demanded(rule, forbids, passage) if forbids else _now_forbidden(rule, passage)


def _now_demanded(rule: str, forbids: re.Match[str], passage: str) -> Change | None:
    deed, demands = _deed(rule[forbids.end() :]), _DEMANDS.search(passage)
    if not deed or demands is None or _FORBIDS.search(passage) or deed not in content_stems(passage[demands.end() :]):
        return None
    word = forbids.group().strip(" .;:!(—–,-\n")
    return _change(word, demands.group())


def _now_forbidden(rule: str, passage: str) -> Change | None:
    """The deed itself has to be forbidden: "always run it" may well be told as "never skip it"."""
    duty, forbids = REQUIREMENT.search(rule), PROHIBITION.search(passage)
    deed = _deed(rule[duty.end() :] if duty else rule)
    if not deed or forbids is None or _deed(passage[forbids.end() :]) != deed:
        return None
    return _change(duty.group() if duty else "do it", forbids.group().strip(" .;:!(—–,-\n"))


def _deed(words: str) -> str:
    """What is to be done or not done: the first word that carries meaning; "" where there is none."""
    return next(iter(content_stems(words, 200)), "")


def _change(source: str, summary: str) -> Change:
    return Change(Detail.FLIPPED, source, summary, f"The rule says “{source}”; after the compaction it is “{summary}”.")


def is_denied(before: str) -> bool:
    """Whether words that follow `before` are denied by its end: "do not …", "no longer …"."""
    return bool(_DENIED.search(before[-80:]))
