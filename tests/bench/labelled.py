"""The labelled compactions of ../shared as segments, and which findings stand for which labels."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conversations.audit.beside import shown
from conversations.audit.model import Finding, Segment
from conversations.audit.segment import segments_of
from conversations.ingest.formats import parse_file

SHARED = Path(__file__).parents[3] / "shared"
TRANSCRIPTS = SHARED / "transcripts/claude-code"
#: Findings that a second reader looked at, blind to their order: whether they are lost, and how important (0 to 3).
JUDGED_AGAIN = Path(__file__).with_name("judged_again.json")
#: Findings that were looked at in other compactions and judged worth a person's time or not, by their place.
JUDGED = Path(__file__).with_name("judged.json")


@dataclass(frozen=True)
class Labelled:
    """One compaction with its hand labels."""

    name: str
    transcript: str
    segment: Segment
    important: list[dict]  # lost, importance 2 or 3
    kept: list[dict]
    minor: list[dict]  # lost, importance 0 or 1


@dataclass(frozen=True)
class Judged:
    """One compaction with places that were judged: (message, block, start, length, worth)."""

    transcript: str
    segment: Segment
    places: list[tuple[str, int, int, int, int]]

    def verdict(self, finding: Finding) -> int | None:
        """Whether the finding was judged worth a person's time; None where nobody looked at its place."""
        return max((worth for *place, worth in self.places if stands_at(finding, *place)), default=None)


@dataclass(frozen=True)
class JudgedAgain:
    """One compaction with places that were graded: (message, block, start, length, lost, importance)."""

    transcript: str
    segment: Segment
    places: list[tuple[str, int, int, int, int, int]]

    def grade(self, finding: Finding) -> int | None:
        """How important its loss is, 0 to 3; -1 where it is none, None where nobody looked at its place."""
        grades = (grade if lost else -1 for *place, lost, grade in self.places if stands_at(finding, *place))
        return max(grades, default=None)


def stands_at(finding: Finding, message: str, block: int, start: int, length: int) -> bool:
    """Whether a finding rests on words of a place."""
    span = finding.fact.spans[0]
    return (message, block) == (span.message, span.block) and start < span.end and span.start < start + length


@cache
def segments(transcript: str) -> tuple[Segment, ...]:
    """The segments of one transcript."""
    return tuple(segments_of(parse_file(TRANSCRIPTS / transcript).events_and_problems()[0]))


def _segment(transcript: str, boundary: str) -> Segment:
    return next(segment for segment in segments(transcript) if segment.boundary == boundary)


def labelled() -> Iterator[Labelled]:
    """The compactions with hand labels."""
    for path in sorted((SHARED / "gold").glob("*.json")):
        gold = json.loads(path.read_text())
        lost = [fact for fact in gold["facts"] if fact["status"] != "kept"]
        yield Labelled(
            path.stem,
            gold["transcript"],
            _segment(gold["transcript"], gold["boundary"]),
            [fact for fact in lost if fact["importance"] >= 2],
            [fact for fact in gold["facts"] if fact["status"] == "kept"],
            [fact for fact in lost if fact["importance"] < 2],
        )


def judged() -> Iterator[Judged]:
    """The compactions whose first findings were judged."""
    for row in json.loads(JUDGED.read_text()):
        places = [tuple(place) for place in row["places"]]
        yield Judged(row["transcript"], _segment(row["transcript"], row["boundary"]), places)


def judged_again() -> Iterator[JudgedAgain]:
    """The compactions that the second reader looked at."""
    for row in json.loads(JUDGED_AGAIN.read_text()):
        places = [tuple(place) for place in row["places"]]
        yield JudgedAgain(row["transcript"], _segment(row["transcript"], row["boundary"]), places)


@cache
def _rules():
    spec = importlib.util.spec_from_file_location("evaluate", SHARED / "gold/evaluate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def covers(label: dict, finding: Finding) -> bool:
    """Whether a finding stands for a label, by the rule of the labels themselves."""
    return _rules().covers(label, {"quote": finding.fact.quote, "text": shown(finding)})


def covered(labels: list[dict], findings: list[Finding]) -> list[set[int]]:
    """For each finding the indexes of the labels that it stands for."""
    return [{n for n, label in enumerate(labels) if covers(label, finding)} for finding in findings]
