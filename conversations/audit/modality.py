"""How firmly something is said: force of a rule, state of work, certainty of a claim, and when the summary changes it.

Only clear words decide, because a false alarm costs more trust than a miss; a passage without any of them says nothing.
"""

import re
from dataclasses import dataclass

from conversations.audit.model import Detail


def _any(*forms: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w-])(?:" + "|".join(forms) + r")(?![\w-])", re.I)


#: Words that forbid or exclude. A passage with any of them still carries a prohibition.
FORBIDS = _any(
    r"must ?n['o]t", r"must not", r"never", r"do not", r"don['’]?t", r"does not", r"doesn['’]?t", r"not", r"no", r"cannot", r"can['’]t",
    r"avoid\w*", r"without", r"forbid\w*", r"forbidden", r"prohibit\w*", r"disallow\w*", r"exclud\w+", r"except", r"only",
    r"instead of", r"rather than", r"refus\w+", r"off[- ]limits", r"read-only", r"leave \w+ (?:alone|unchanged|untouched)",
    r"skip\w*", r"stop\w*", r"won['’]t", r"shouldn['’]?t", r"isn['’]?t", r"nothing", r"none", r"zero", r"prevent\w*", r"untouched",
    r"remov\w+", r"drop\w*", r"unchanged", r"keep\w*", r"ban\w*", r"nie\w*", r"kein\w*", r"nicht", r"ne", r"pas", r"jamais", r"nunca",
)  # fmt: skip
#: A prohibition in its strong form, as a user or a loaded rule puts it.
PROHIBITION = _any(
    r"must ?n['o]t", r"must not", r"never", r"do not", r"don['’]?t", r"under no circumstances", r"not allowed", r"may not", r"forbidden",
    r"prohibited", r"no longer allowed", r"shall not",
)  # fmt: skip
#: A requirement in its strong form.
REQUIREMENT = _any(
    r"must",
    r"always",
    r"required",
    r"mandatory",
    r"has to",
    r"have to",
    r"shall",
    r"needs? to",
    r"make sure",
    r"ensure",
)
#: Words that turn a duty into a wish.
SOFT = _any(r"should ideally", r"could", r"might", r"optional(?:ly)?", r"if possible", r"where possible", r"consider\w*", r"nice to have",
            r"ideally", r"prefer\w*", r"suggest\w*", r"potentially", r"try to", r"when convenient")  # fmt: skip

#: Work that is not finished, not checked, or went wrong.
UNDONE = _any(
    r"not (?:yet )?(?:been )?(?:run|ran|tested|verified|checked|done|complete[d]?|implemented|fixed|addressed|confirmed|started|merged|"
    r"committed|pushed|deployed|compiled|executed|written|added|covered|finished|working)",
    r"(?:hasn['’]t|haven['’]t|wasn['’]t|weren['’]t|isn['’]t|aren['’]t|didn['’]t|has not|have not|did not|was not|were not) (?:yet )?(?:been )?"
    r"(?:run|tested|verify|verified|checked|done|completed?|implemented|fixed|addressed|confirmed|started|merged|committed|pushed|deployed|"
    r"compiled|executed|finished)",
    r"never (?:ran|run|tested|verified|executed|compiled|checked)", r"unverified", r"untested", r"unfinished", r"incomplete",
    r"partial(?:ly)?", r"postponed?", r"deferred?", r"defer", r"skipped", r"still (?:failing|fails|broken|missing|open|pending|needs?|to do)",
    r"remaining", r"remains", r"todo", r"to-do", r"pending", r"not yet", r"in progress", r"in_progress", r"blocked", r"failing", r"fails",
    r"failed", r"accept(?:ed)? as tech(?:nical)? debt", r"tech(?:nical)? debt", r"won['’]t fix", r"estimat\w+", r"placeholder", r"stub(?:bed)?",
    r"wip", r"for later", r"later phase", r"follow-up", r"out of scope", r"unresolved", r"outstanding", r"missing", r"need(?:s|ed)? to be",
)  # fmt: skip
#: Work that is claimed finished or proven.
CLAIMED = _any(
    r"done", r"complete[d]?", r"fixed", r"resolved", r"verified", r"implemented", r"finished", r"all (?:\w+ ){0,3}pass(?:ing|ed|es)?", r"passing",
    r"passed", r"successful(?:ly)?", r"addressed", r"confirmed", r"merged", r"deployed", r"shipped", r"green", r"tested", r"added", r"measured",
)  # fmt: skip
_TICK = re.compile(r"[✅✓☑]|\[x\]", re.I)

#: A claim held as a guess.
GUESS = _any(r"probably", r"maybe", r"perhaps", r"possibly", r"might(?: be)?", r"may be", r"could be", r"i suspect", r"suspect\w*", r"likely",
             r"unlikely", r"hypothes\w+", r"presumably", r"seems?(?: to)?", r"appears? to", r"not sure", r"unsure", r"unclear", r"my guess",
             r"i think", r"i assume", r"assum\w+", r"speculat\w+", r"not certain", r"unconfirmed", r"potential(?:ly)?", r"can['’]t tell")  # fmt: skip
#: A claim held as known.
KNOWN = _any(r"root cause", r"confirmed", r"identified", r"proven", r"proved", r"determined", r"the (?:real |actual )?(?:cause|reason|culprit)",
             r"caused by", r"was due to", r"is due to", r"discovered", r"found that", r"established", r"verified", r"because")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A change of force, state or certainty, with the word that stood in the source."""

    detail: Detail
    word: str
    reason: str


def weakened(source: str, passage: str) -> Change | None:
    """A rule whose force is gone from the passage that states its topic."""
    if forbids := PROHIBITION.search(source):
        if not FORBIDS.search(passage):
            return Change(
                Detail.WEAKENED, forbids.group(), f"The summary names the subject, but “{forbids.group()}” is gone."
            )
        return None
    duty, soft = REQUIREMENT.search(source), SOFT.search(passage)
    if duty and soft and not SOFT.search(source) and not REQUIREMENT.search(passage):
        return Change(Detail.WEAKENED, duty.group(), f"“{duty.group()}” has become “{soft.group()}” in the summary.")
    return None


def flipped(source: str, passage: str) -> Change | None:
    """Unfinished or unchecked work that the passage calls finished, or a guess that it calls known."""
    undone = UNDONE.search(source)
    if undone and not UNDONE.search(passage) and (claim := CLAIMED.search(passage) or _TICK.search(passage)):
        return Change(
            Detail.FLIPPED, undone.group(), f"“{undone.group()}” has become “{claim.group()}” in the summary."
        )
    guess = GUESS.search(source)
    if guess and not GUESS.search(passage) and (known := KNOWN.search(passage)):
        return Change(
            Detail.FLIPPED, guess.group(), f"A guess (“{guess.group()}”) has become certain (“{known.group()}”)."
        )
    return None
