"""Decide which compactions flow into a queue, and which of them come first."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from conversations.vocabulary import Sampling


@dataclass(frozen=True, slots=True)
class Candidate:
    """A compaction that fits a queue's filter, as far as sampling looks at it."""

    id: int
    version: str = ""  # of the agent, with its name
    risk: float = 0.0  # the auditor's "worst first"
    judged: int = 0  # verdicts of people on its findings
    contradicted: int = 0  # of them, those that do not agree with the auditor
    differing: bool = False  # people gave different overall verdicts
    lost: int = 0  # facts that the auditor holds for lost
    unsure: int = 0  # of them, those of which it is not sure


@dataclass(frozen=True, slots=True)
class Pick:
    """A compaction that flows in; the highest priority is looked at first."""

    id: int
    priority: float
    version: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """How a queue samples. `seed` (the queue's id) makes two queues draw differently, and one always the same."""

    sampling: Sampling
    percent: int = 100  # of `random`
    seed: int = 0


def sample(candidates: Iterable[Candidate], how: Sample, taken: Collection[str] = ()) -> Iterator[Pick]:
    """Those that flow in. `taken`: agent versions of which the queue has one already.

    Whether a compaction flows in depends on itself alone, except for one per version: so it makes no difference when
    and in which portions they come."""
    if how.sampling is Sampling.ONE_PER_VERSION:
        yield from _worst_of_each(candidates, taken)
        return
    for candidate in candidates:
        priority = _PRIORITY[how.sampling](candidate, how)
        if priority is not None:
            yield Pick(candidate.id, priority, candidate.version)


def _worst_of_each(candidates: Iterable[Candidate], taken: Collection[str]) -> Iterator[Pick]:
    worst: dict[str, Candidate] = {}
    for candidate in candidates:
        known = worst.get(candidate.version)
        if candidate.version not in taken and (known is None or candidate.risk > known.risk):
            worst[candidate.version] = candidate
    return (Pick(each.id, each.risk, each.version) for each in worst.values())


def draw(number: int, seed: int) -> float:
    """A number from 0 to 1 that is always the same for the same two numbers, and else evenly spread."""
    digest = blake2b(f"{seed}:{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def disagreement(candidate: Candidate) -> float:
    """From 0 to 1: 1 where people's overall verdicts differ, else the larger of the share of findings that people
    contradicted and the share of losses of which the auditor is not sure."""
    if candidate.differing:
        return 1.0
    contradicted = candidate.contradicted / candidate.judged if candidate.judged else 0.0
    return max(contradicted, candidate.unsure / candidate.lost if candidate.lost else 0.0)


def _random(candidate: Candidate, how: Sample) -> float | None:
    """The first drawn come first, so that half a sample is a sample too."""
    drawn = draw(candidate.id, how.seed)
    return 1 - drawn if drawn * 100 < how.percent else None


_PRIORITY: dict[Sampling, Callable[[Candidate, Sample], float | None]] = {
    Sampling.ALL: lambda candidate, _how: -float(candidate.id),  # as they came
    Sampling.RANDOM: _random,
    Sampling.RISKIEST: lambda candidate, _how: candidate.risk if candidate.risk > 0 else None,
    Sampling.DISAGREEMENT: lambda candidate, _how: disagreement(candidate) or None,
}
