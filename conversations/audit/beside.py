"""Gives what one message lost one place among the first: the best finding speaks for others of its passage."""

from collections.abc import Sequence
from dataclasses import replace

from conversations.audit.cutting import beginning_of
from conversations.audit.facts.draft import LONGEST_TEXT, about_of
from conversations.audit.facts.reading import READ, without_gutter
from conversations.audit.facts.units import mark_end
from conversations.audit.facts.wording import worded
from conversations.audit.model import Author, FactKind, Finding
from conversations.vocabulary import Outcome

#: A finding speaks for so many others: in LONGEST_TEXT characters more than three pieces are cut to nothing. MEASURED
#: on 97 important losses, each session judged by the others: 52 stand among the first 25 without, 54 with one, 58 with
#: two, about as many with three or four.
MOST = 2
#: Items of one list stand within so many characters; those past MOST follow behind the first forty with those spoken
#: for, because a table of nine rows is no three findings. MEASURED: 61 of 97 among the first 25 with, 60 without.
ONE_LIST = 1_500
#: Of what a passage is about so many characters go before the pieces.
LONGEST_ABOUT = 80
BETWEEN = " · "


def gathered(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings that stand for themselves or speak for others, and those spoken for; both in the order given.

    What has a reason of its own to be read, because it was altered, hurt, or is the user's word, is not spoken for.
    """
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        group = groups.setdefault(_place(finding), [])
        if _stands_alone(finding):
            groups[finding.fact.id] = [finding]
        elif is_command(finding) and any(finding.fact.quote in other.fact.quote for other in group):
            continue
        elif len(group) <= MOST:
            group.append(finding)
        elif not any(_one_list(finding, other) for other in group):
            groups[finding.fact.id] = [finding]
    leads = {group[0].fact.id: _speaking(group) for group in groups.values() if group}
    first = [leads[finding.fact.id] for finding in findings if finding.fact.id in leads]
    return first, [finding for finding in findings if finding.fact.id not in leads]


def is_command(finding: Finding) -> bool:
    """Whether it says how something is run: tests, linters, builds."""
    return finding.fact.kind is FactKind.COMMAND


def _place(finding: Finding) -> object:
    """What is gathered together: the losses of one message; how things are run, wherever it was said."""
    span = finding.fact.spans[0]
    return FactKind.COMMAND if is_command(finding) else (span.message, span.block)


def _one_list(finding: Finding, other: Finding) -> bool:
    """Whether two losses of one message stand near each other under the same words, as the rows of a table do."""
    if is_command(finding):
        return True
    here, there = finding.fact.spans[0], other.fact.spans[0]
    near = max(here.start - there.end, there.start - here.end) <= ONE_LIST
    return near and about_of(finding.fact.text, finding.fact.quote) == about_of(other.fact.text, other.fact.quote)


def _stands_alone(finding: Finding) -> bool:
    altered = finding.judgement.outcome is not Outcome.FORGOTTEN
    return altered or bool(finding.evidence) or finding.fact.author is Author.USER


def _speaking(group: Sequence[Finding]) -> Finding:
    """The best of a group, with what each of them says in the order in which it was said."""
    lead, *others = group
    told = group if is_command(lead) else sorted(group, key=lambda finding: finding.fact.spans[0].start)
    return replace(lead, beside=tuple(map(_said, told))) if others else lead


def _said(finding: Finding) -> str:
    """The words of a loss; of a place in code what the agent read there: lines of code tell a person nothing."""
    quote = without_gutter(finding.fact.quote)
    if READ in finding.fact.cues or is_command(finding):
        return finding.fact.text
    return worded(quote[mark_end(quote) :])


def shown(finding: Finding) -> str:
    """The sentence for people: the fact's own, or what its passage is about and a piece of each loss in it."""
    pieces = finding.beside
    if not pieces:
        return finding.fact.text
    about = _about(finding)
    lead = f"{about}: " if about else _common(pieces)
    pieces = tuple(piece.removeprefix(lead) for piece in pieces)
    room = LONGEST_TEXT - len(lead) - len(BETWEEN) * (len(pieces) - 1)
    return lead + BETWEEN.join(map(beginning_of, pieces, _rooms([len(piece) for piece in pieces], room)))


def _about(finding: Finding) -> str:
    """What the passage is about, where no piece says so itself."""
    if is_command(finding):
        return ""  # each piece says what it is for
    forbidden = finding.fact.kind is FactKind.PROHIBITION  # "Never:" above a list must not be left out
    about = about_of(finding.fact.text, finding.fact.quote, anywhere=forbidden)
    return "" if any(about in piece for piece in finding.beside) else beginning_of(about, LONGEST_ABOUT)


def _rooms(lengths: Sequence[int], room: int) -> list[int]:
    """How much of `room` each piece may take: what a short one leaves over goes to the longer ones."""
    rooms, left = [0] * len(lengths), room
    shortest_first = sorted(range(len(lengths)), key=lengths.__getitem__)
    for served, number in enumerate(shortest_first):
        rooms[number] = min(lengths[number], left // (len(lengths) - served))
        left -= rooms[number]
    return rooms


def _common(pieces: Sequence[str]) -> str:
    """What every piece begins with up to a colon, such as the file that all were read in."""
    head, colon, _ = pieces[0].partition(": ")
    return head + colon if colon and all(piece.startswith(head + colon) for piece in pieces) else ""
