"""python -m tests.bench.audit: the auditor against the hand labels in ../shared, in-sample and session left out.

Prints, for each labelled compaction and in total: important losses covered by the first 25 and by the first 150 lost
findings, kept facts called lost, outcome accuracy over all labels that a finding stands for, time and memory.
"""

import argparse
import random
import sys
import time
import tracemalloc
from dataclasses import astuple, dataclass
from unittest.mock import patch

from conversations.audit import ranking
from conversations.audit.audit import LOST, audit_segment
from conversations.audit.model import Audit, Finding, Segment
from conversations.vocabulary import Outcome
from tests.bench.fit_ranking import Rows, coefficients, rows, variants
from tests.bench.labelled import SHARED, Labelled, covered, judged, judged_again, labelled

FIRST, LISTED, READ = 25, 150, 10
#: The grade from which a loss is worth a person's time, as in the labels.
WORTH = 2
DRAWS, SEED = 2_000, 20_240


@dataclass(frozen=True)
class Score:
    """Counts of one compaction; they add up."""

    important: int = 0
    first: int = 0
    listed: int = 0
    kept: int = 0
    alarms: int = 0
    told: int = 0
    right: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        return (
            f"@25 {self.first}/{self.important} = {share(self.first, self.important)}  "
            f"anywhere {self.listed}/{self.important} = {share(self.listed, self.important)}  "
            f"kept called lost {self.alarms}/{self.kept} = {share(self.alarms, self.kept)}  "
            f"outcome right {self.right}/{self.told} = {share(self.right, self.told)}"
        )


def share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def score(audit: Audit, gold: Labelled) -> Score:
    """The audit against the labels, by the rules of gold/evaluate.py."""
    lost = [f for f in audit.findings if f.judgement.outcome in LOST][:LISTED]
    kept = [f for f in audit.findings if f.judgement.outcome is Outcome.KEPT]
    important, alarmed = covered(gold.important, lost), set().union(*covered(gold.kept, lost))
    found, confirmed = set().union(*important), set().union(*covered(gold.kept, kept))
    return Score(
        len(gold.important),
        len(set().union(*important[:FIRST])),
        len(found),
        len(gold.kept),
        len(alarmed - confirmed),
        len(found | set().union(*covered(gold.important, kept))) + len(confirmed | alarmed),
        len(found) + len(confirmed),
    )


def interval(counts: list[tuple[int, int]]) -> tuple[float, float]:
    """The 90 % interval of a share, (part, whole) by compaction, when compactions are drawn anew."""
    draw = random.Random(SEED)
    drawn = (draw.choices(counts, k=len(counts)) for _ in range(DRAWS))
    shares = sorted(sum(part for part, _ in picked) / sum(whole for _, whole in picked) for picked in drawn)
    return shares[int(DRAWS * 0.05)], shares[int(DRAWS * 0.95) - 1]


def timed(segment: Segment) -> tuple[Audit, float]:
    begun = time.process_time()
    audit = audit_segment(segment)
    return audit, time.process_time() - begun


def left_out(parts: list[Rows], session: str):
    """The ranking as fitted without one session."""
    stored = coefficients(part for part in parts if part.session != session)
    weights = {name: tuple(value) for name, value in stored["features"].items()}
    return patch.object(ranking, "fitted", lambda: (stored["bias"], weights))


def table(title: str, which: int, parts: list[Rows] | None) -> None:
    """One line a compaction; `which`: 0 with what followed, 1 without; `parts`: leave the session out."""
    print(f"\n{title}")
    scores = []
    for gold in labelled():
        segment = variants(gold.segment)[which]
        if parts is None:
            audit, seconds = timed(segment)
        else:
            with left_out(parts, gold.transcript):
                audit, seconds = timed(segment)
        row = score(audit, gold)
        scores.append(row)
        size = sum(len(line.text) for line in segment.dropped)
        print(f"  {gold.name}  {row}  {seconds:.2f} s for {size // 1000}k characters")
    print(f"  all         {sum(scores, Score())}")
    low, high = interval([(score.first, score.important) for score in scores])
    print(f"  @25 with compactions drawn anew: {low:.0%} to {high:.0%} (90 %)")


def first_lost(segment: Segment) -> list[Finding]:
    """The losses that are read first."""
    return [f for f in audit_segment(segment).findings if f.judgement.outcome in LOST][:READ]


def worth_by_label(parts: list[Rows]) -> None:
    """Of the first ten of the labelled compactions, those that stand for an important loss, session left out.

    The labels are not complete: what stands for none of them may be worth the time or not.
    """
    worth = other = unknown = 0
    for gold in labelled():
        with left_out(parts, gold.transcript):
            first = first_lost(gold.segment)
        important = covered(gold.important, first)
        rest = covered([*gold.minor, *gold.kept], first)
        worth += sum(map(bool, important))
        other += sum(bool(r and not i) for i, r in zip(important, rest, strict=True))
        unknown += sum(not (i or r) for i, r in zip(important, rest, strict=True))
    print(
        f"\nFirst {READ} of the labelled, session left out: {worth} stand for an important loss, {other} for a minor or"
    )
    print(f"  a kept fact only, {unknown} for no label: {share(worth, worth + other)} of the labelled, ", end="")
    print(f"{share(worth, worth + other + unknown)} of all")


def precision(parts: list[Rows]) -> None:
    """Of the first ten of the judged compactions, those that a reader found worth the time, session left out."""
    counts = []
    for sample in judged():
        with left_out(parts, sample.transcript):
            first = first_lost(sample.segment)
        verdicts = [v for f in first if (v := sample.verdict(f)) is not None]
        counts.append((sum(verdicts), len(verdicts)))
    good, told = (sum(column) for column in zip(*counts, strict=True))
    low, high = interval(counts)
    print(f"\nWorth a person's time among the first {READ}, session left out: {good} of {told} = {share(good, told)}")
    print(f"  with compactions drawn anew: {low:.0%} to {high:.0%} (90 %)")


def precision_again(parts: list[Rows]) -> None:
    """The same by a second reader, who graded, session left out; and in how far the two say the same."""
    grades, pairs = [], []
    readers = {(sample.transcript, sample.segment.boundary): sample for sample in judged()}
    for sample in judged_again():
        with left_out(parts, sample.transcript):
            lost = [f for f in audit_segment(sample.segment).findings if f.judgement.outcome in LOST]
        grades += [g for f in lost[:READ] if (g := sample.grade(f)) is not None]
        other = readers.get((sample.transcript, sample.segment.boundary))
        both = [(sample.grade(f), other.verdict(f)) for f in lost] if other else []
        pairs += [(grade >= WORTH, bool(worth)) for grade, worth in both if grade is not None and worth is not None]
    print(
        f"By a second reader, of {len(grades)}: {share(sum(g >= 0 for g in grades), len(grades))} lost indeed", end=""
    )
    for least, name in ((WORTH, "important"), (1, "important or minor")):
        print(f", {share(sum(g >= least for g in grades), len(grades))} {name}", end="")
    print(f"\n  both say the same of {share(sum(a == b for a, b in pairs), len(pairs))} of {len(pairs)}")


def memory() -> None:
    """Peak of one audit above what was there before."""
    gold = max(labelled(), key=lambda g: sum(len(line.text) for line in g.segment.dropped))
    tracemalloc.start()
    audit_segment(gold.segment)
    print(f"\nPeak memory of {gold.name}: {tracemalloc.get_traced_memory()[1] / 1e6:.0f} MB")
    tracemalloc.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="in-sample only")
    options = parser.parse_args()
    if not (SHARED / "gold").is_dir():
        sys.exit(f"No labels in {SHARED}: nothing to measure.")
    table("As shipped, with what followed", 0, None)
    table("As shipped, as if the log ended at the boundary", 1, None)
    if not options.quick:
        parts = rows()
        table("Session left out of the fit, with what followed", 0, parts)
        table("Session left out of the fit, as if the log ended at the boundary", 1, parts)
        worth_by_label(parts)
        precision(parts)
        precision_again(parts)
    memory()


if __name__ == "__main__":
    main()
