"""Which findings are worth a person's time first: a fitted score whose parts can be shown, then variety."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import exp, log, log1p

from conversations.audit.background import Background
from conversations.audit.facts import cues
from conversations.audit.model import Author, Fact, FactKind, FactState, Finding, Judgement
from conversations.audit.passages import PassageIndex
from conversations.vocabulary import Outcome

#: How much a finding loses for saying what a better one already said, as a share of its words.
REPETITION = 0.8
#: Only so many are put in order by variety; the rest keep the order of their score.
VARIED = 150

_LIKE_A_NAME = re.compile(r"`[^`\n]+`|\w+_\w+|[a-z]+[A-Z]\w*|[\w-]+\.\w{1,5}\b|/[\w./-]+|\b\d{2,}\b|--[a-z][\w-]+")
_CUES = {
    "negative": cues.NEGATIVE, "reason": cues.REASON, "rule": cues.REQUIREMENT, "risk": cues.RISK, "open": cues.OPEN,
    "unsure": cues.UNSURE, "decision": cues.DECISION, "mechanism": cues.MECHANISM, "success": cues.SUCCESS,
}  # fmt: skip
_FORMS = ("item", "row", "code", "command")


def features(fact: Fact, judgement: Judgement, index: PassageIndex, ground: Background) -> dict[str, float]:
    """What the score is made of, by name; every value between about -1 and 5."""
    stems = ground.of(fact)
    count = max(len(stems), 1)
    gone = [stem for stem in stems if stem not in ground.summary]
    values = {
        "probability": judgement.probability,
        "altered": float(judgement.outcome is Outcome.ALTERED),
        "topic kept": sum(min(ground.summary[s], 5) for s in stems) / count,
        "words known": 1 - len(gone) / count,
        "rarity": sum(index.rarity(s) for s in stems) / count,
        "central": sum(log1p(ground.spoken[s]) for s in stems) / count,
        "gone and central": sum(log1p(ground.spoken[s]) for s in gone) / (len(gone) + 1),
        "asked for": len(stems & ground.ask) / count,
        "recent": ground.place.get(fact.last, 0.0),
        "just before": max(0.0, ground.place.get(fact.last, 0.0) - 0.85) / 0.15,
        "length": log(len(fact.quote) + 1),
        "repeated": log(fact.count),
        "names": min(len(_LIKE_A_NAME.findall(fact.quote)), 8) / 8,
        "heading": float(fact.text.find(": ") in range(1, 120)),
        "later": sum(log1p(min(ground.later[s], 8)) for s in stems) / count,
        "later and gone": sum(log1p(min(ground.later[s], 8)) for s in gone) / (len(gone) + 1),
        "followed": float(ground.followed),
        "settled": float(fact.state is not FactState.OPEN),
    }
    values |= {f"says {name}": float(bool(pattern.search(fact.quote))) for name, pattern in _CUES.items()}
    values["narration"] = float(bool(cues.NARRATION.match(fact.quote)))
    values |= {f"by {author.value}": float(fact.author is author) for author in Author}
    values |= {f"kind {kind.value}": float(fact.kind is kind) for kind in FactKind}
    values |= {f"cue {cue}": float(cue in fact.cues) for cue in CUE_NAMES}
    return values


CUE_NAMES = (
    "own voice", "given document", "loaded", "open", "done", "label", "decision", "risk", "answer", "mechanism", "statement", "document",
    "read, then said", "comment", "where it is", "failed", "place", "set-up", "chosen", "not chosen", "task", "delegated", "test", "lint",
)  # fmt: skip


@cache
def fitted() -> tuple[float, dict[str, tuple[float, float, float]]]:
    """Bias, and for each feature its weight, mean and spread. How they were fitted stands beside them."""
    stored = json.loads(files(__package__).joinpath("ranking.json").read_text())
    return stored["bias"], {name: tuple(value) for name, value in stored["features"].items()}


def score(values: dict[str, float]) -> tuple[float, dict[str, float]]:
    """P(worth a person's time) and what each feature adds to its logarithm."""
    bias, weights = fitted()
    parts = {name: w * (values[name] - mean) / spread for name, (w, mean, spread) in weights.items() if name in values}
    total = bias + sum(parts.values())
    return 1 / (1 + exp(-max(-30.0, min(30.0, total)))), {n: round(p, 3) for n, p in parts.items() if abs(p) >= 0.05}


def varied(findings: Sequence[Finding], ground: Background) -> list[Finding]:
    """Best first, each finding held against the better ones: what they already said counts no more."""
    rest = sorted(findings, key=lambda f: (-f.rank, f.fact.id))
    tail, rest = rest[2 * VARIED :], rest[: 2 * VARIED]
    held = {f.fact.id: 0.0 for f in rest}
    chosen: list[Finding] = []
    while rest and len(chosen) < VARIED:
        best = max(rest, key=lambda f: f.rank * (1 - held[f.fact.id]))
        rest.remove(best)
        chosen.append(best)
        words = ground.of(best.fact)
        for other in rest:
            held[other.fact.id] = max(held[other.fact.id], REPETITION * _shared(words, ground.of(other.fact)))
    return [*_falling(chosen), *rest, *tail]


def _shared(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / max(1, min(len(a), len(b)))


def _falling(findings: list[Finding]) -> list[Finding]:
    """The ranks made to fall with the order, so that sorting by rank anywhere gives the same list."""
    out: list[Finding] = []
    for finding in findings:
        rank = min(finding.rank, out[-1].rank) if out else finding.rank
        out.append(replace(finding, rank=rank))
    return out
