"""Scenes for the signs of harm: what followed a boundary at which facts were forgotten."""

import json

from conversations.audit.harm import find_harm
from tests.audit.segments import finding_of, segment_of


def harm_of(before, facts, after, summary="Nothing.", **fields):
    """Harm with every fact forgotten; `after` continues the numbering of `before`."""
    segment = segment_of(before.lines, summary, after.lines, **fields)
    return find_harm(segment, [finding_of(fact) for fact in facts])


def signals_of(harm):
    found = [evidence for group in harm.facts.values() for evidence in group] + list(harm.compaction)
    return [evidence.signal for evidence in found]


def shell(log, command, answer, **fields):
    return log.call("Bash", json.dumps({"command": command}), answer, **fields)


OLD = "retries = 3  # the gateway drops the first one"
NEW = "retries = 9  # the gateway drops several of them"


def edit(log, old, new):
    return log.call("Edit", json.dumps({"file_path": "net/link.py", "old_string": old, "new_string": new}), "ok")


ERRAND = {
    "description": "Map the queue code",
    "prompt": "List every caller of enqueue and what each passes as priority.",
}
