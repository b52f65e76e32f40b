"""How firmly something is said: force of a rule, state of work, certainty of a claim, and when a summary changes it.

Only clear words decide, because a false alarm costs more trust than a miss. A problem that is later called fixed is
ordinary progress; looked for is work that was *said not to be done or not to be checked*, called done or checked.
"""

import re
from dataclasses import dataclass

from conversations.audit.model import Detail
from conversations.audit.patterns import AnyCase


def _any(forms: str) -> AnyCase:
    """Match any of the forms, parted by ";", as whole words."""
    return AnyCase(rf"(?<![\w-])(?:{'|'.join(map(str.strip, forms.split(';')))})(?![\w-])")


#: A prohibition in its strong form. "don't" and "do not" only where they command: at the start of a clause.
PROHIBITION = re.compile(
    r"(?<![\w-])(?:must ?n['’o]t|must not|never|under no circumstances|not allowed to|may not|shall not"
    r"|forbidden|prohibited)(?![\w-])"
    r"|(?:^|[.;:!(—–,-]\s{0,3}|\b(?:please|and|but|you|we|agents?|should)\s)(?:do not|don['’]t)(?![\w-])",
    re.IGNORECASE | re.MULTILINE,
)
#: Any of these in a passage may still carry a prohibition, in whatever words.
EXCLUDES = _any(
    r"""no[tr]?; never; none; nothing; nobody; \w+n['’]t; cannot; without; except; only; avoid\w*; forb[ia]d\w*;
    prohibit\w*; disallow\w*; exclu\w+; instead; rather than; refus\w+; off[- ]limits; read-only; leav(?:e|ing);
    skip\w*; stop\w*; prevent\w*; un\w+; zero; remov\w+; dropp?\w*; keep\w*; kept; ban\w*; block\w*; reject\w*;
    disabl\w+; out of scope; restrict\w*; always; must; kein\w*; nicht; nie\w*; jamais; pas; nunca"""
)
#: A duty in its strong form.
REQUIREMENT = _any("must; always; required; mandatory; have to; has to; shall")
#: Words that turn a duty into a wish.
SOFT = _any(
    """could; might; optional(?:ly)?; if possible; where possible; nice to have; ideally; prefer(?:ably|red|s)?;
    suggest(?:ed|ion|s)?; when convenient; potentially"""
)

_DONE = "(?:run|ran|tested|verified|checked|done|completed?|implemented|fixed|addressed|confirmed|compiled|executed)"
_CHECKED = "(?:run|ran|tested|verified|checked|compiled|executed|confirmed)"
_WAS = "(?:has|have|was|were|is|are|did|had)(?: not|n['’]t)"
#: Work that is said not to be done, not to be checked, or put off.
UNDONE = _any(
    rf"""not (?:yet )?(?:been )?{_DONE}; {_WAS} (?:yet )?(?:been )?{_DONE};
    never (?:ran|run|tested|verified|executed|compiled); unverified; untested; unfinished; postponed?; deferred;
    only partial(?:ly)?; partially (?:done|implemented|fixed|complete);
    still (?:to do|to be done|untested|unverified|open); tech(?:nical)? debt; won['’]t fix; (?:rough |my )?estimated?;
    (?:left|put off|saved) for later; out of scope;
    not (?:yet )?(?:been )?(?:addressed|handled|covered|resolved|finished)"""
)
#: Those of them that a later check, by whatever words it reports success, would make out of date.
UNCHECKED = _any(
    rf"""not (?:yet )?(?:been )?{_CHECKED}; {_WAS} (?:yet )?(?:been )?{_CHECKED}; never {_CHECKED};
    unverified; untested; still (?:untested|unverified)"""
)
#: How tools and people report that a check went well.
SUCCEEDED = re.compile(
    r"(?<![\w-])(?:pass(?:ed|es|ing)?|succe\w+"
    r"|ok\s+\S+\s+[\d.(]+|0 fail\w*|0 errors?|no errors|green|works)(?![\w-])|[✓✔✅]",
    re.IGNORECASE,
)
#: Any of these in a passage leaves open that it is not done.
OPEN = _any(
    r"""not; \w+n['’]t; never; un(?:verified|tested|finished|resolved|done); partial(?:ly)?; postpon\w+; defer\w*;
    pending; remain\w*; todos?; to-do; to do; in[ _]progress; blocked; fail\w*; debt; estimat\w+; later;
    follow-up; outstanding; missing; needs?; should; will; next; if; user (?:asked|requested|wants?);
    open; skipped; approx\w*; about; ~"""
)
#: Work that is claimed done or checked.
CLAIMED = _any(
    r"""done; completed?; fixed; resolved; verified; finished; all (?:\w+ ){0,3}pass(?:ing|ed|es)?; passing; passed;
    successful(?:ly)?; addressed; confirmed; implemented; tested; measured; pass(?:es)?; works; working; green"""
)

#: A claim held as a guess.
GUESS = _any(
    """probably; maybe; perhaps; possibly; i suspect; suspected; my guess; not sure; unsure; hypothes[ie]s; presumably;
    i assume; unconfirmed; most likely; might be (?:caused|because|due)"""
)
#: Any of these in a passage leaves open whether it is known.
DOUBT = _any(
    r"""probabl[ey]; maybe; perhaps; possib\w+; suspect\w*; likely; guess\w*; not sure; unsure; hypothe\w+; presum\w+;
    assum\w+; might; may; could; seem\w*; appear\w*; unclear; unconfirmed; potential\w*; theor\w+"""
)
#: A claim held as known.
KNOWN = _any(
    """root cause; confirmed; identified; proven; determined; the (?:real |actual )?(?:cause|culprit); caused by;
    (?:is|was) due to; verified"""
)

#: What a check left over, in the words of tools: "9 skipped", "2 failed". None of it is nothing left over.
_LEFT_OVER = re.compile(
    r"(?<![\w.])[1-9]\d{0,5} (?:tests? |checks? |suites? )?(skip|fail|error|pending|todo|warning)\w*", re.IGNORECASE
)

_THING = (
    r"(?:the |this |that |existing |constant |function |file ){0,2}[`\"'*]{0,2}" r"([A-Za-z_][\w./-]{3,80})[`\"'*]{0,2}"
)
#: Something named is to stay.
STAYS = re.compile(
    rf"(?<![\w-])(?:keep|retain|preserve|(?:do not|don['’]t|never) (?:remove|delete|drop)) {_THING}", re.IGNORECASE
)
#: Something named is gone.
GONE = re.compile(rf"(?<![\w-])(?:removed|deleted|dropped|got rid of) {_THING}", re.IGNORECASE)
#: A name that stands for one thing only.
_NAME = re.compile(r"[_./\d]|[a-z][A-Z]")


#: What a finding denies, in its clear forms.
DENIAL = _any(
    "never; (?:is|are|was|were|does|do|did|has|have|can|could|will|would)(?: not|n['’]t); cannot; no longer; nowhere"
)
#: Any of these in a passage may still carry a denial of what is or happens.
DENIES = _any(
    r"""no[tr]?; never; none; nothing; nobody; nowhere; neither; \w+n['’]t; cannot; without; except; only; avoid\w*;
    lack\w*; miss\w+; absen\w+; un(?!til|der|it|i[qo])\w+; fail\w*; instead; rather; stop\w*; skip\w*; remov\w+; if;
    when; should; must; bug; problem; issue; wrong\w*; broken; ignor\w+; dis(?:abl|allow|card|connect|miss|regard)\w*;
    in(?:ac|co|va|suf|abil)\w+; non\W?\w*; hardly; few; false; dead; kein\w*;
    nicht; nie\w*; jamais; pas; nunca"""
)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of force, state or certainty: the word of the source, and the one in its place ("" = none)."""

    detail: Detail
    source: str
    summary: str
    reason: str


def weakened(source: str, passage: str) -> Change | None:
    """Find the force of a rule gone from the passage that states its subject."""
    if forbids := PROHIBITION.search(source):
        rest = (source[: forbids.start()] + source[forbids.end() :]).lower()
        if any(word.lower() not in rest for word in EXCLUDES.findall(passage)):
            return None
        word = forbids.group().strip(" .;:!(—–,-\n")
        return Change(Detail.WEAKENED, word, "", f"The summary names the subject, but “{word}” is gone.")
    duty, soft = REQUIREMENT.search(source), SOFT.search(passage)
    if duty and soft and not SOFT.search(source) and not REQUIREMENT.search(passage):
        reason = f"“{duty.group()}” has become “{soft.group()}” in the summary."
        return Change(Detail.WEAKENED, duty.group(), soft.group(), reason)
    return None


def flipped(source: str, passage: str) -> Change | None:
    """Find unfinished or unchecked work that the passage calls done, or a guess that it calls known."""
    for before, unless, after in ((UNDONE, OPEN, CLAIMED), (GUESS, DOUBT, KNOWN)):
        was, now = before.search(source), after.search(passage)
        if was and now and not unless.search(passage):
            reason = f"“{was.group()}” has become “{now.group()}” in the summary."
            return Change(Detail.FLIPPED, was.group(), now.group(), reason)
    return None


def rounded(source: str, passage: str, summary: str) -> Change | None:
    """Find a check that left something over, told in the passage as passed while nothing tells what was left."""
    passed = CLAIMED.search(passage)
    for left in _LEFT_OVER.finditer(source) if passed else ():
        if left[1].lower() not in summary.lower():
            reason = f"“{left.group()}” is gone: the summary tells only what passed."
            return Change(Detail.FLIPPED, left.group(), passed.group() if passed else "", reason)
    return None


def removed(source: str, passage: str) -> Change | None:
    """Find something that was to stay, called removed in the passage."""
    for stays in STAYS.finditer(source):
        for gone in GONE.finditer(passage):
            if stays[1] == gone[1] and _NAME.search(stays[1]):
                reason = f"The source says “{stays.group()}”; the summary says “{gone.group()}”."
                return Change(Detail.FLIPPED, stays.group(), gone.group(), reason)
    return None


def assured(source: str, passage: str) -> Change | None:
    """Find a guess about a cause that the passage tells without any reservation."""
    guess = GUESS.search(source)
    if guess is None or DOUBT.search(passage):
        return None
    reason = f"“{guess.group()}” is gone: the summary tells a guess as certain."
    return Change(Detail.FLIPPED, guess.group(), "", reason)


def affirmed(source: str, passage: str) -> Change | None:
    """Find what a finding denies, told as a fact in the passage."""
    denials = DENIAL.findall(source)
    if len(denials) != 1 or DENIES.search(passage):
        return None
    reason = f"“{denials[0]}” is gone: the summary says that it is so."
    return Change(Detail.FLIPPED, denials[0], "", reason)
