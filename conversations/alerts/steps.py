"""Intervals and what was told of before → what is to be told now, each thing once. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from conversations.alerts.rules import Interval
from conversations.alerts.signals import severity_rank

Stretch = tuple[datetime, datetime | None]  # from, to (None: still)
#: By group, in order: the intervals that incidents know of.
Told = dict[str, list[Stretch]]
#: An interval to tell of, and its group. One with an end tells that it ended; None, that it never was.
Step = tuple[Interval | None, str]

#: So many intervals of a group, over before anybody was told, become incidents each; of more, all of them one.
_MOST_BY_THEMSELVES = 3
_NEVER = datetime.max.replace(tzinfo=UTC)


def steps_of(intervals: Iterable[Interval], told: Told, *, quietly: bool = False) -> tuple[list[list[Step]], Told]:
    """Rounds of what is to be told one after the other, and what has been told then.

    `quietly`: what is over is not told, as nobody asked for it then."""
    now: dict[str, list[Interval]] = defaultdict(list)
    for interval in intervals:
        now[interval.group].append(interval)
    rounds: list[list[Step]] = []
    for group in sorted({*now, *told}):
        for number, step in enumerate(_of_group(group, now[group], told.get(group, []), quietly=quietly)):
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(step)
    return rounds, {group: [(each.since, each.until) for each in found] for group, found in now.items() if found}


def _of_group(
    group: str, now: Sequence[Interval], told: Sequence[Stretch], *, quietly: bool
) -> list[Step]:  # fmt: skip
    """What was open and is not any more; what came and went; what is open."""
    known = _matched(now, told)
    steps: list[Step] = []
    for number, (_, until) in enumerate(told):
        same = known.get(number)
        if until is None and (same is None or same.until):
            steps.append((same, group))
    still = now[-1] if now and now[-1].until is None else None
    goes_on = still is not None and any(same is still and told[number][1] is None for number, same in known.items())
    if not quietly and not goes_on:
        steps += _came_and_went(group, [each for each in now if each.until and each not in known.values()])
    if still:
        steps.append((still, group))
    return steps


def _matched(now: Sequence[Interval], told: Sequence[Stretch]) -> dict[int, Interval]:
    """Number of what was told → the first interval of which it is true, each once."""
    found: dict[int, Interval] = {}
    left = list(now)
    for number, stretch in enumerate(told):
        same = next((each for each in left if _overlap(each, stretch)), None)
        if same is not None:
            found[number] = same
            left.remove(same)
    return found


def _came_and_went(group: str, over: Sequence[Interval]) -> Iterable[Step]:
    if len(over) > _MOST_BY_THEMSELVES:
        over = [_joined(over)]
    for interval in over:
        begun: Interval = msgspec.structs.replace(interval, until=None)
        yield begun, group
        yield interval, group


def _joined(over: Sequence[Interval]) -> Interval:
    """One interval from the begin of the first to the end of the last, as bad as the worst."""
    worst = max(over, key=lambda each: (severity_rank(each.severity), each.since))
    return msgspec.structs.replace(worst, since=over[0].since, until=over[-1].until)


def _overlap(interval: Interval, known: Stretch) -> bool:
    """Whether they have a moment in common; intervals that end at the moment they began in, too."""
    since, until = known
    return interval.since <= (until or _NEVER) and since <= (interval.until or _NEVER)
