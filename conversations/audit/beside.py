"""Gives what one message lost one place among the first: the best finding speaks for others of its passage."""

from collections.abc import Sequence
from dataclasses import replace

from conversations.audit.cutting import beginning_of
from conversations.audit.facts.draft import LONGEST_TEXT, about_of
from conversations.audit.facts.reading import READ, without_gutter
from conversations.audit.facts.units import mark_end, plain
from conversations.audit.model import Author, Finding
from conversations.vocabulary import Outcome

#: A finding speaks for so many others: in LONGEST_TEXT characters more than three pieces are cut to nothing. MEASURED
#: on 97 important losses, each session judged by the others: 52 stand among the first 25 without, 54 with one, 58 with
#: two, about as many with three or four.
MOST = 2
#: Of what a passage is about so many characters go before the pieces.
LONGEST_ABOUT = 80
BETWEEN = " · "


def gathered(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings that stand for themselves or speak for others, and those spoken for; both in the order given.

    What has a reason of its own to be read, because it was altered, hurt, or is the user's word, is not spoken for.
    """
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        span = finding.fact.spans[0]
        group = groups.setdefault((span.message, span.block), [])
        if _stands_alone(finding) or len(group) > MOST:
            groups[finding.fact.id] = [finding]
        else:
            group.append(finding)
    leads = {group[0].fact.id: _speaking(group) for group in groups.values() if group}
    first = [leads[finding.fact.id] for finding in findings if finding.fact.id in leads]
    return first, [finding for finding in findings if finding.fact.id not in leads]


def _stands_alone(finding: Finding) -> bool:
    altered = finding.judgement.outcome is not Outcome.FORGOTTEN
    return altered or bool(finding.evidence) or finding.fact.author is Author.USER


def _speaking(group: Sequence[Finding]) -> Finding:
    lead, *others = group
    return replace(lead, beside=tuple(_said(other) for other in others)) if others else lead


def _said(finding: Finding) -> str:
    """The words of a loss; of a place in code what the agent read there: lines of code tell a person nothing."""
    quote = without_gutter(finding.fact.quote)
    if READ in finding.fact.cues:
        return finding.fact.text
    return plain(quote[mark_end(quote) :])


def shown(finding: Finding) -> str:
    """The sentence for people: the fact's own, or what its passage is about and a piece of each loss in it."""
    if not finding.beside:
        return finding.fact.text
    about = beginning_of(about_of(finding.fact.text, finding.fact.quote), LONGEST_ABOUT)
    pieces = (_said(finding), *finding.beside)
    lead = f"{about}: " if about else ""
    room = (LONGEST_TEXT - len(lead) - len(BETWEEN) * len(finding.beside)) // len(pieces)
    return lead + BETWEEN.join(beginning_of(piece, room) for piece in pieces)
