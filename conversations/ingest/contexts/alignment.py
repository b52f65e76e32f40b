"""Which atoms of a new context are the ones that stood in the old: patience diff, in n log n.

What both begin with and what both end with is the same; between, atoms that occur once in each are anchors where their
order agrees, and grow in both directions over their neighbours. A "continue" that the user says twenty times is placed
by what stands beside it.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

Atoms = Sequence[bytes]


def align(old: Atoms, new: Atoms) -> list[int]:
    """For each atom of `new` its index in `old`, or -1; the indexes grow."""
    matched = [-1] * len(new)
    start = common_prefix(old, new)
    anchors = _anchors(old, new, start) or _last_anchor(old, new, start)
    if anchors and _is_tail(old, new, anchors[0]):
        start = 0  # all up to it stands together in the old, further down: that it also begins the old is chance
    matched[:start] = range(start)
    used = start - 1
    for i, j in anchors:
        used = _grow(old, new, matched, i, j, used)
    return matched


def common_prefix(old: Atoms, new: Atoms) -> int:
    """How many atoms both begin with."""
    for index, (left, right) in enumerate(zip(old, new, strict=False)):
        if left != right:
            return index
    return min(len(old), len(new))


def _anchors(old: Atoms, new: Atoms, start: int) -> list[tuple[int, int]]:
    """Pairs (index in old, index in new) of what occurs once in each rest, in an order that both agree on."""
    once_new = {atom for atom, n in Counter(new[start:]).items() if n == 1}
    once_old = {atom for atom, n in Counter(old[start:]).items() if n == 1}
    where = {old[i]: i for i in range(start, len(old)) if old[i] in once_old and old[i] in once_new}
    return _longest_growing([(where[new[j]], j) for j in range(start, len(new)) if new[j] in where])


def _longest_growing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The most pairs whose first numbers grow (patience sorting); the second ones grow already."""
    tops: list[int] = []
    piles: list[int] = []  # index of the pair on top of each pile
    before = [-1] * len(pairs)
    for index, (i, _) in enumerate(pairs):
        pile = bisect_left(tops, i)
        before[index] = piles[pile - 1] if pile else -1
        if pile == len(piles):
            tops.append(i)
            piles.append(index)
        else:
            tops[pile], piles[pile] = i, index
    chain: list[tuple[int, int]] = []
    at = piles[-1] if piles else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _last_anchor(old: Atoms, new: Atoms, start: int) -> list[tuple[int, int]]:
    """Where nothing occurs once: the place at which most of the old one's end stands."""
    places = [j for j in range(start, len(new)) if len(old) > start and new[j] == old[-1]]
    return [(len(old) - 1, max(places, key=lambda j: _run(old, new, j)))] if places else []


def _run(old: Atoms, new: Atoms, end: int) -> int:
    """How many atoms up to new[end] are the old one's last."""
    length = 0
    while length <= min(end, len(old) - 1) and old[-1 - length] == new[end - length]:
        length += 1
    return length


def _is_tail(old: Atoms, new: Atoms, anchor: tuple[int, int]) -> bool:
    i, j = anchor
    return i > j and list(old[i - j : i]) == list(new[:j])


def _grow(old: Atoms, new: Atoms, matched: list[int], i: int, j: int, used: int) -> int:
    """Match the anchor, and its neighbours as far as they are the same and free: those of the old one after `used`.
    Returns the last index used now."""
    left = 1
    while j >= left and i - left > used and matched[j - left] < 0 and old[i - left] == new[j - left]:
        matched[j - left] = i - left
        left += 1
    right = 0
    while j + right < len(new) and i + right < len(old) and old[i + right] == new[j + right]:
        matched[j + right] = i + right
        right += 1
    return max(used, i + right - 1)
