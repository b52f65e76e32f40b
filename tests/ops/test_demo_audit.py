"""The auditor against the answer key of the sample conversations."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from conversations.audit.audit import LOST, audit_segment
from conversations.audit.model import Audit, Finding
from conversations.audit.segment import segments_of
from conversations.ops.demo import scripts
from conversations.ops.demo.script import events_of
from conversations.vocabulary import Outcome

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
KEY = json.loads((Path(__file__).parent / "demo_key.json").read_text())["facts"]
FIRST = 25
#: MEASURED: of 20 losses 14 stand among the first 25, none of 18 kept facts is called lost, 2 of 8 signs of harm are
#: found. What is missed is told of in few words that the summary says of something else.
MISSED = 6
ALARMS = 0
SHOWN = 2


@cache
def audits() -> dict[tuple[str, int], Audit]:
    """By conversation and number of the compaction."""
    return {
        (script.name, segment.number): audit_segment(segment)
        for script in scripts()
        for segment in segments_of(events_of(script, NOW))
    }


def speaking_of(fact: dict) -> list[Finding]:
    """The findings whose words hold all of the fact's, best first."""
    findings = audits()[fact["conversation"], fact["compaction"]].findings
    words = [word.lower() for word in fact["words"]]
    return [
        f for f in findings if all(word in re.sub(r"[*`]", "", f.fact.quote + f.fact.text).lower() for word in words)
    ]


def lost(fact: dict) -> list[Finding]:
    found = audits()[fact["conversation"], fact["compaction"]].findings[:FIRST]
    return [finding for finding in speaking_of(fact) if finding in found and finding.judgement.outcome in LOST]


def having(*outcomes: str) -> Iterator[dict]:
    return (fact for fact in KEY if fact["outcome"] in outcomes)


def test_most_of_what_the_samples_lose_stands_among_the_first():
    facts = list(having("forgotten", "altered"))
    missed = [fact["words"] for fact in facts if not lost(fact)]
    assert len(missed) <= MISSED, missed


def test_what_the_samples_keep_is_hardly_ever_called_lost():
    kept = list(having("kept"))
    kept_in = {id(f): [x for x in speaking_of(f) if x.judgement.outcome is Outcome.KEPT] for f in kept}
    alarms = [fact["words"] for fact in kept if lost(fact) and not kept_in[id(fact)]]
    assert len(alarms) <= ALARMS, alarms


def test_harm_is_shown_where_the_samples_have_it():
    shown = [fact["words"] for fact in KEY if "harm" in fact and any(finding.evidence for finding in speaking_of(fact))]
    assert len(shown) >= SHOWN, shown


def test_what_was_said_before_an_earlier_compaction_is_not_called_added():
    assert not [added.text for audit in audits().values() for added in audit.added]
