"""Human-labelled pairs "is this fact in this summary?", with their features; None where the data is not at hand."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conversations.audit.passages import PassageIndex, Rarity
from conversations.audit.presence import evidence
from conversations.audit.segment import segments_of
from conversations.ingest.formats import parse_file
from tests.bench.logistic import Array

#: Beside the repository, since the sets are not ours to ship.
SHARED = Path(__file__).parents[3] / "shared"


@dataclass(frozen=True)
class Pairs:
    """Features and labels (1 = present) row by row; `doc` and `topic` are what may not be split between folds."""

    rows: Array
    labels: Array
    doc: list[str]
    topic: list[str]
    extra: list[dict[str, Any]]


def bench(name: str) -> Pairs | None:
    """`summhay` or `realsumm`. Rarity: over the lines of all summaries and facts of the same document."""
    path = SHARED / "bench" / f"{name}.jsonl.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        pairs = [json.loads(line) for line in file]
    rarity = {doc: Rarity(texts) for doc, texts in _texts(pairs).items()}
    index: dict[tuple[str, str], PassageIndex] = {}
    rows = []
    for pair in pairs:
        at = pair["doc"], pair["summary"]
        if at not in index:
            index[at] = PassageIndex(pair["summary"], rarity=rarity[pair["doc"]])
        rows.append(evidence(pair["fact"], index[at]).values)
    labels = np.array([float(pair["label"]) for pair in pairs])
    return Pairs(np.array(rows), labels, [p["doc"] for p in pairs], [p.get("topic", "") for p in pairs], pairs)


def _texts(pairs: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    texts: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        texts[pair["doc"]] |= {pair["summary"], pair["fact"]}
    return {doc: sorted(found) for doc, found in texts.items()}


def sessions() -> Iterator[tuple[str, dict[str, Any], PassageIndex]]:
    """The hand-labelled compactions of agent sessions: name, labels, and the context after each."""
    for path in sorted((SHARED / "gold").glob("*.json")):
        gold = json.loads(path.read_text(encoding="utf-8"))
        events, _ = parse_file(SHARED / "transcripts" / "claude-code" / gold["transcript"]).events_and_problems()
        segment = next(s for s in segments_of(events) if s.boundary == gold["boundary"])
        yield path.stem, gold, PassageIndex.of(segment)


def gold() -> Pairs | None:
    """Each hand label twice: its quote and its wording. Altered counts as absent. `doc` is the session."""
    rows, labels, doc, extra = [], [], [], []
    for name, session, index in sessions():
        for fact in session["facts"]:
            for text in (fact["quote"], fact["text"]):
                rows.append(evidence(text, index).values)
                labels.append(float(fact["status"] == "kept"))
                doc.append(name)
                extra.append(fact)
    return Pairs(np.array(rows), np.array(labels), doc, doc, extra) if rows else None
