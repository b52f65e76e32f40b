"""A rule as YAML and the API write it, and what is wrong with one."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import yaml
from django.db import transaction
from msgspec import Meta

from conversations.alerts.definition import Definition, problems
from conversations.alerts.evaluation import definition_of
from conversations.alerts.metrics import EVENTS, METRICS
from conversations.alerts.services import FIELDS, Actor, save_rule
from conversations.audit.model import FactKind
from conversations.errors import BadInput
from conversations.models import Channel, LedgerEntry, Rule, User, Workspace
from conversations.vocabulary import Aggregation, Direction, GroupBy, NoData

#: Rules of one file, and its characters: far more than a team has.
MOST_RULES, MOST_CHARACTERS = 1_000, 1_000_000
_MEND = "See docs/alerts.md for the fields of a rule."
#: What msgspec says of a field that stands in no path.
_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `(.*)`", re.DOTALL)
_Name = Annotated[str, Meta(min_length=1, max_length=120)]
_Minutes = Annotated[int, Meta(ge=0, le=100_000)]


class RuleSpec(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The fields of models.Rule, times in minutes; what is left out is as it usually is. Channels by their names."""

    name: _Name
    note: Annotated[str, Meta(max_length=4000)] = ""
    enabled: bool = True
    metric: str
    aggregation: Aggregation = Aggregation.EACH
    window_minutes: _Minutes = 60
    direction: Direction = Direction.ABOVE
    warning: float | None = None
    critical: float | None = None
    clear: float | None = None
    in_a_row: int = 1
    clear_in_a_row: int = 1
    minimum_sample: int = 1
    no_data: NoData = NoData.IGNORE
    quiet_minutes: _Minutes = 1440
    settle_minutes: _Minutes = 2
    agent_name: Annotated[str, Meta(max_length=200)] = ""
    agent_version: Annotated[str, Meta(max_length=100)] = ""
    model: Annotated[str, Meta(max_length=200)] = ""
    fact_kind: Annotated[str, Meta(max_length=30)] = ""
    least_importance: float = 0
    ledger_entry: Annotated[str, Meta(max_length=120)] = ""
    group_by: GroupBy | None = None
    remind_minutes: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    tells_resolved: bool = True
    channels: list[str] = []


def spec_of(rule: Rule, channels: list[str]) -> RuleSpec:
    """A stored rule."""
    fields: dict[str, Any] = {name: getattr(rule, name) for name in FIELDS} | {"channels": channels}
    return msgspec.convert(fields | {"group_by": rule.group_by or None}, RuleSpec)


def read_spec(fields: Any) -> RuleSpec:
    """Raises BadInput."""
    try:
        return msgspec.convert(fields, RuleSpec, str_keys=True)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        field = _FIELD.fullmatch(words)
        at = field[1][:60] if field else place.strip("`").removeprefix("$.")
        raise BadInput(f"{words[:200]}.", mend=_MEND, at=at) from None


def apply_spec(spec: RuleSpec, rule: Rule) -> tuple[Rule, list[Channel]]:
    """The rule as the spec says, not stored yet, and its channels. Raises BadInput."""
    for name in FIELDS:
        setattr(rule, name, getattr(spec, name))
    rule.group_by = spec.group_by or ""
    for field, message in wrong_with(rule):
        raise BadInput(message, mend=_MEND, at=field)
    known = {channel.name: channel for channel in Channel.objects.filter(workspace=rule.workspace)}
    for name in spec.channels:
        if name not in known:
            raise BadInput(f"There is no channel “{name[:60]}”.", mend="Make it first, or leave it out.", at="channels")
    return rule, [known[name] for name in dict.fromkeys(spec.channels)]


def wrong_with(rule: Rule) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) with a rule that is to be stored; nothing, if it can be."""
    unstorable = [name for name in FIELDS if isinstance(getattr(rule, name), str) and "\0" in getattr(rule, name)]
    if unstorable:  # nor can it be looked for
        yield from ((name, "Text cannot hold a zero character.") for name in unstorable)
        return
    if Rule.objects.filter(workspace=rule.workspace_id, name=rule.name).exclude(pk=rule.pk).exists():
        yield "name", "There is a rule of this name. Choose another."
    if rule.metric not in METRICS:
        yield "metric", f"There is no such metric. There are: {', '.join(METRICS)}."
        return
    definition = definition_of(rule)
    yield from problems(definition)
    yield from _beyond_its_metric(definition)
    entries = LedgerEntry.objects.filter(workspace=rule.workspace_id, name=rule.ledger_entry)
    if rule.ledger_entry and not entries.exists():
        yield "ledger_entry", "There is no entry of this name in the ledger."


def _beyond_its_metric(definition: Definition) -> Iterator[tuple[str, str]]:
    metric, selection = METRICS[definition.metric], definition.selection
    groups, event = metric.groups, EVENTS[metric.source]
    if definition.aggregation not in metric.aggregations:
        known = ", ".join(metric.aggregations)
        yield "aggregation", f"“{metric.label}” has no such figure. It has: {known}."
    if definition.group_by and definition.group_by not in groups:
        yield "group_by", f"“{metric.label}” cannot be told apart by {definition.group_by.replace('_', ' ')}."
    if (selection.agent or selection.version) and GroupBy.AGENT not in groups:
        yield "agent_name", f"A {event} has no agent."
    if selection.model and GroupBy.MODEL not in groups:
        yield "model", f"A {event} has no model."
    if (selection.fact_kind or selection.least_importance) and not metric.takes_facts:
        yield "fact_kind", f"“{metric.label}” cannot be narrowed to some facts."
    if selection.ledger_entry and not metric.takes_entry:
        yield "ledger_entry", f"“{metric.label}” does not look at the ledger."
    if selection.fact_kind and selection.fact_kind not in set(FactKind):
        yield "fact_kind", f"There is no such kind of fact. There are: {', '.join(FactKind)}."


# --- as YAML ----------------------------------------------------------------------------------------------------------


def export_rules(workspace: Workspace) -> str:
    """All rules of a workspace, by name."""
    rules = Rule.objects.filter(workspace=workspace).order_by("name").prefetch_related("channels")
    specs = [spec_of(rule, sorted(channel.name for channel in rule.channels.all())) for rule in rules]
    text: str = yaml.safe_dump({"rules": msgspec.to_builtins(specs)}, sort_keys=False, allow_unicode=True)
    return text


class Imported(msgspec.Struct, frozen=True):
    """Names of rules."""

    made: list[str]
    changed: list[str]
    unchanged: list[str]


@transaction.atomic
def import_rules(workspace: Workspace, text: str, actor: Actor) -> Imported:
    """Make the rules of a file, and change those that bear the same names; all or none.

    Raises BadInput, whose `at` says which rule and field."""
    found = Imported([], [], [])
    for number, fields in enumerate(_read(text), 1):
        name = fields.get("name") if isinstance(fields, dict) else None
        try:
            _import(workspace, read_spec(fields), actor, found)
        except BadInput as error:
            place = f"rule {number} ({name})" if name else f"rule {number}"
            raise BadInput(error.message, mend=error.mend, at=f"{place}: {error.at}".rstrip(": ")) from None
    return found


def _import(workspace: Workspace, spec: RuleSpec, actor: Actor, found: Imported) -> None:
    rule = Rule.objects.filter(workspace=workspace, name=spec.name).first()
    before = spec_of(rule, sorted(channel.name for channel in rule.channels.all())) if rule else None
    if before == msgspec.structs.replace(spec, channels=sorted(set(spec.channels))):
        found.unchanged.append(spec.name)
        return
    author = actor if isinstance(actor, User) else None
    changed, channels = apply_spec(spec, rule or Rule(workspace=workspace, created_by=author))
    save_rule(changed, channels, actor)
    (found.changed if rule else found.made).append(spec.name)


def _read(text: str) -> list[Any]:
    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"The file has more than {MOST_CHARACTERS:,} characters.")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"line {mark.line + 1}" if mark else ""
        raise BadInput("This is not YAML.", mend="Export your rules to see how they look.", at=at) from None
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not rules:
        raise BadInput("There are no rules in it.", mend="The file holds a list named “rules”.", at="rules")
    if len(rules) > MOST_RULES:
        raise BadInput(f"The file has more than {MOST_RULES:,} rules.", at="rules")
    return rules
