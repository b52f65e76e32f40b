"""How firmly something is said: force of a rule, state of work, certainty of a claim, and when a summary changes it.

Only clear words decide, because a false alarm costs more trust than a miss. A problem that is later called fixed is
ordinary progress; what is looked for is work that was *said not to be done or not to be checked*, called done or checked.
"""

import re
from dataclasses import dataclass

from conversations.audit.model import Detail


def _any(*forms: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w-])(?:" + "|".join(forms) + r")(?![\w-])", re.IGNORECASE)


#: A prohibition in its strong form. "don't" and "do not" only where they command: at the start of a clause.
PROHIBITION = re.compile(
    r"(?<![\w-])(?:must ?n['’o]t|must not|never|under no circumstances|not allowed to|may not|forbidden|prohibited|shall not)(?![\w-])"
    r"|(?:^|[.;:!(—–,-]\s{0,3}|\b(?:please|and|but|you|we|agents?|should)\s)(?:do not|don['’]t)(?![\w-])",
    re.IGNORECASE | re.MULTILINE,
)
#: Any of these in a passage may still carry a prohibition, in whatever words.
EXCLUDES = _any(
    r"no[tr]?", r"never", r"none", r"nothing", r"nobody", r"\w+n['’]t", r"cannot", r"without", r"except", r"only", r"avoid\w*",
    r"forb[ia]d\w*", r"prohibit\w*", r"disallow\w*", r"exclu\w+", r"instead", r"rather than", r"refus\w+", r"off[- ]limits",
    r"read-only", r"leav(?:e|ing)", r"skip\w*", r"stop\w*", r"prevent\w*", r"un\w+", r"zero", r"remov\w+", r"dropp?\w*", r"keep\w*",
    r"kept", r"ban\w*", r"block\w*", r"reject\w*", r"disabl\w+", r"out of scope", r"restrict\w*", r"always", r"must",
    r"kein\w*", r"nicht", r"nie\w*", r"jamais", r"pas", r"nunca",
)  # fmt: skip
#: A duty in its strong form.
REQUIREMENT = _any(r"must", r"always", r"required", r"mandatory", r"have to", r"has to", r"shall")
#: Words that turn a duty into a wish.
SOFT = _any(r"could", r"might", r"optional(?:ly)?", r"if possible", r"where possible", r"nice to have", r"ideally", r"prefer(?:ably|red|s)?",
            r"suggest(?:ed|ion|s)?", r"when convenient", r"potentially")  # fmt: skip

_DONE = r"(?:run|ran|tested|verified|checked|done|completed?|implemented|fixed|addressed|confirmed|compiled|executed|finished|started)"
_WAS = r"(?:has|have|was|were|is|are|did|had)(?: not|n['’]t)"
#: Work that is said not to be done, not to be checked, or put off.
UNDONE = _any(
    rf"not (?:yet )?(?:been )?{_DONE}", rf"{_WAS} (?:yet )?(?:been )?{_DONE}", r"never (?:ran|run|tested|verified|executed|compiled)",
    r"unverified", r"untested", r"unfinished", r"postponed?", r"deferred", r"only partial(?:ly)?", r"partially (?:done|implemented|fixed|complete)",
    r"still (?:to do|to be done|untested|unverified|open)", r"tech(?:nical)? debt", r"won['’]t fix", r"(?:rough |my )?estimated?",
)  # fmt: skip
#: Any of these in a passage leaves open that it is not done.
OPEN = _any(r"not", r"\w+n['’]t", r"never", r"un(?:verified|tested|finished|resolved|done)", r"partial(?:ly)?", r"postpon\w+", r"defer\w*", r"pending",
            r"remain\w*", r"todos?", r"to-do", r"to do", r"in[ _]progress", r"blocked", r"fail\w*", r"debt", r"estimat\w+", r"later", r"follow-up",
            r"outstanding", r"missing", r"needs?", r"should", r"will", r"next", r"if", r"user (?:asked|requested|wants?)", r"open", r"skipped",
            r"approx\w*", r"about", r"~")  # fmt: skip
#: Work that is claimed done or checked.
CLAIMED = _any(r"done", r"completed?", r"fixed", r"resolved", r"verified", r"finished", r"all (?:\w+ ){0,3}pass(?:ing|ed|es)?", r"passing", r"passed",
               r"successful(?:ly)?", r"addressed", r"confirmed", r"implemented", r"tested", r"measured")  # fmt: skip

#: A claim held as a guess.
GUESS = _any(r"probably", r"maybe", r"perhaps", r"possibly", r"i suspect", r"suspected", r"my guess", r"not sure", r"unsure", r"hypothes[ie]s",
             r"presumably", r"i assume", r"unconfirmed", r"most likely", r"might be (?:caused|because|due)")  # fmt: skip
#: Any of these in a passage leaves open whether it is known.
DOUBT = _any(r"probabl[ey]", r"maybe", r"perhaps", r"possib\w+", r"suspect\w*", r"likely", r"guess\w*", r"(?:not |un)sure", r"hypothe\w+", r"presum\w+",
             r"assum\w+", r"might", r"may", r"could", r"seem\w*", r"appear\w*", r"unclear", r"unconfirmed", r"potential\w*", r"theor\w+")  # fmt: skip
#: A claim held as known.
KNOWN = _any(r"root cause", r"confirmed", r"identified", r"proven", r"determined", r"the (?:real |actual )?(?:cause|culprit)", r"caused by",
             r"(?:is|was) due to", r"verified")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A change of force, state or certainty: the word that stood in the source, and the one in its place ("" = none)."""

    detail: Detail
    source: str
    summary: str
    reason: str


def weakened(source: str, passage: str) -> Change | None:
    """A rule whose force is gone from the passage that states its subject."""
    if forbids := PROHIBITION.search(source):
        if EXCLUDES.search(passage):
            return None
        word = forbids.group().strip(" .;:!(—–,-\n")
        return Change(Detail.WEAKENED, word, "", f"The summary names the subject, but “{word}” is gone.")
    duty, soft = REQUIREMENT.search(source), SOFT.search(passage)
    if duty and soft and not SOFT.search(source) and not REQUIREMENT.search(passage):
        reason = f"“{duty.group()}” has become “{soft.group()}” in the summary."
        return Change(Detail.WEAKENED, duty.group(), soft.group(), reason)
    return None


def flipped(source: str, passage: str) -> Change | None:
    """Unfinished or unchecked work that the passage calls done, or a guess that it calls known."""
    for before, unless, after in ((UNDONE, OPEN, CLAIMED), (GUESS, DOUBT, KNOWN)):
        was, now = before.search(source), after.search(passage)
        if was and now and not unless.search(passage):
            reason = f"“{was.group()}” has become “{now.group()}” in the summary."
            return Change(Detail.FLIPPED, was.group(), now.group(), reason)
    return None
