"""An audit as JSON for programs and as a few lines for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from conversations.audit.audit import LOST, is_cut
from conversations.audit.beside import shown
from conversations.audit.cutting import beginning_of
from conversations.audit.model import Added, Audit, Evidence, Finding
from conversations.vocabulary import Outcome, SummaryState

_WIDTH = 110


def as_json(file: str, audits: Sequence[Audit], version: str) -> dict[str, Any]:
    """The report on one file; findings best first, losses before what was kept."""
    return {"file": file, "version": version, "compactions": [compaction_json(audit) for audit in audits]}


def compaction_json(audit: Audit) -> dict[str, Any]:
    """One compaction."""
    segment = audit.segment
    return {
        "boundary": segment.boundary,
        "number": segment.number,
        "summary_state": segment.summary_state.value,
        "kind": segment.kind.value,
        "complete": segment.complete,
        "retention": asdict(audit.retention),
        "counts": counts(audit),
        "harm_checkable": audit.harm_checkable,
        "cut_texts": audit.cut_texts,
        "findings": [finding_json(finding, segment.summary) for finding in audit.findings],
        "added": [added_json(added, segment.summary) for added in audit.added],
    }


def finding_json(finding: Finding, summary: str) -> dict[str, Any]:
    """One finding. `messages`: external ids, best place first; `summary_quote`: the nearest words, or ""."""
    fact, judgement = finding.fact, finding.judgement
    near = summary[judgement.start : judgement.end] if judgement.start is not None and judgement.end is not None else ""
    return {
        "id": fact.id,
        "kind": fact.kind.value,
        "text": shown(finding),
        "quote": fact.quote,
        "author": fact.author.value,
        "messages": list(dict.fromkeys(span.message for span in fact.spans)),
        "outcome": judgement.outcome.value,
        "detail": judgement.detail.value,
        "probability": round(judgement.probability, 4),
        "importance": fact.importance.value,
        "summary_quote": near,
        "reason": judgement.reason,
        "detector": judgement.detector,
        "rank": round(finding.rank, 4),
        "rank_parts": finding.rank_parts,
        "evidence": [evidence_json(evidence) for evidence in finding.evidence],
    }


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """One sign of harm."""
    return {
        "signal": evidence.signal,
        "text": evidence.text,
        "messages": list(evidence.messages),
        "cost_tokens": evidence.cost_tokens,
        "base_rate": evidence.base_rate,
    }


def added_json(added: Added, summary: str) -> dict[str, Any]:
    """One statement of the summary without a source."""
    return {
        "id": added.id,
        "kind": added.kind,
        "text": added.text,
        "summary_quote": summary[added.start : added.end],
        "reason": added.reason,
        "probability": round(added.probability, 4),
        "evidence": [evidence_json(evidence) for evidence in added.evidence],
    }


def counts(audit: Audit) -> dict[str, Any]:
    """How many facts by outcome, how many losses by kind, how many losses did harm, how many statements were added."""
    by_outcome = Counter(finding.judgement.outcome.value for finding in audit.findings)
    kinds: dict[str, Counter[str]] = {}
    for finding in audit.findings:
        kinds.setdefault(finding.fact.kind.value, Counter())[finding.judgement.outcome.value] += 1
    return {
        **{outcome.value: by_outcome[outcome.value] for outcome in Outcome},
        "added": len(audit.added),
        "harm": sum(bool(finding.evidence) for finding in audit.findings) + sum(bool(a.evidence) for a in audit.added),
        "kind": {kind: dict(counter) for kind, counter in sorted(kinds.items())},
    }


# --- for people ------------------------------------------------------------------------------------------------------

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "green": "32"}


def as_text(file: str, audits: Sequence[Audit], *, top: int, colour: bool) -> str:
    """The `top` losses of each compaction with source, nearest words and reason."""
    if not audits:
        return f"{file}: no compaction in it.\n"
    return (
        "\n".join(
            [f"{file}: {len(audits)} compaction{'s' * (len(audits) != 1)}", *(_block(a, top, colour) for a in audits)]
        )
        + "\n"
    )


def _block(audit: Audit, top: int, colour: bool) -> str:
    rows = ["", _paint(_headline(audit), "bold", colour)]
    lost = [finding for finding in audit.findings if finding.judgement.outcome in LOST]
    for number, finding in enumerate(lost[:top], 1):
        rows += _finding_rows(number, finding, audit.segment.summary, colour)
    if len(lost) > top:
        rows.append(_paint(f"   … and {len(lost) - top} more (--top N, or --json for all)", "dim", colour))
    for added in audit.added[:top]:
        rows.append(_paint(f" + {added.kind.replace('_', ' ')}: {_short(added.text)}", "yellow", colour))
        rows.append(_paint(f"     {added.reason}", "dim", colour))
    return "\n".join(rows)


def _headline(audit: Audit) -> str:
    segment, told = audit.segment, counts(audit)
    head = f"Compaction {segment.number} ({segment.kind.value.replace('_', ' ')}, {segment.boundary})"
    if segment.summary_state is not SummaryState.TEXT and not is_cut(segment):
        return f"{head}: the summary is {segment.summary_state.value}; what was lost cannot be told"
    if not segment.dropped:
        return f"{head}: the messages it covers are not in this file"
    kept = audit.retention
    share = "" if kept.value is None else f", {kept.value:.0%} kept by importance ({kept.low:.0%} to {kept.high:.0%})"
    gap = "" if segment.complete else "; its beginning is not in this file"
    gap += f"; {audit.cut_texts} very long texts were not read to their end" if audit.cut_texts else ""
    return f"{head}: {told['forgotten']} forgotten, {told['altered']} altered, {told['kept']} kept{share}{gap}"


def _finding_rows(number: int, finding: Finding, summary: str, colour: bool) -> list[str]:
    row = finding_json(finding, summary)
    mark, paint = ("~", "yellow") if row["outcome"] == Outcome.ALTERED.value else ("-", "red")
    verdict = _paint(f"{mark} {row['outcome']} {row['kind']}", paint, colour)
    rows = [f"{number:3} {verdict}  {_short(row['text'], 220)}"]
    rows.append(_paint(f"      said: {_short(row['quote'])}", "dim", colour))
    if row["summary_quote"]:
        rows.append(_paint(f"      near: {_short(row['summary_quote'])}", "dim", colour))
    rows.append(_paint(f"      why:  {row['reason']}", "dim", colour))
    rows += [_paint(f"      harm: {evidence.text}", "red", colour) for evidence in finding.evidence[:2]]
    return rows


def _short(text: str, width: int = _WIDTH) -> str:
    """On one line, without control characters, cut."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * width]).split())
    return beginning_of(line, width)


def _paint(text: str, name: str, colour: bool) -> str:
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if colour else text
