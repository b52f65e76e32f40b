"""Whose budgets warn or are used up: written down once, and handed on as signals, of which incidents are made."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from conversations.alerts.incidents import record_signals
from conversations.alerts.signals import Evidence, Signal
from conversations.models import Agent, Budget, BudgetEvent, Conversation, Incident, Workspace
from conversations.spending.budget_events import seen
from conversations.spending.budget_overview import Judged, People, standings
from conversations.spending.budget_settings import read_settings
from conversations.spending.budgets import Asker, Standing
from conversations.vocabulary import BudgetPeriod, BudgetScope, IncidentState, Severity, SignalState

#: A conversation that was silent for so long has ended: what it used up of its whole life is nobody's trouble any more.
QUIET = timedelta(hours=24)
_FULL = 100  # percent
_GROUP_CHARACTERS = 300
_LABEL_CHARACTERS = 120

#: Which window of which budget, and whose: (budget, asker, beginning, percent).
_Key = tuple[int | None, Asker, datetime | None, int | None]


def watched_workspaces(conversation_ids: Iterable[int] | None = None) -> list[int]:
    """Those that have budgets: all, or those of these conversations. One query."""
    rows = Budget.objects.order_by()
    if conversation_ids is not None:
        rows = rows.filter(workspace__conversations__in=list(conversation_ids))
    return sorted(rows.values_list("workspace_id", flat=True).distinct())


def watch_conversations(workspace_id: int, conversation_ids: Iterable[int], now: datetime) -> None:
    """After a digestion: see how the budgets stand that these conversations and their agents come under."""
    _watch(workspace_id, list(conversation_ids), now)


def watch_all(workspace_id: int, now: datetime) -> None:
    """Every minute: windows end, overrides begin and expire, conversations fall silent, without anything arriving."""
    rows = Budget.objects.filter(workspace=workspace_id)
    rows.update(watched_at=Greatest(Coalesce(F("watched_at"), now), now))
    open_ones = Incident.objects.filter(workspace=workspace_id, budget__isnull=False).exclude(
        state=IncidentState.RESOLVED
    )
    groups = set(open_ones.values_list("group", flat=True))
    found = Conversation.objects.filter(workspace=workspace_id, external_id__in=groups)
    _watch(workspace_id, list(found.values_list("pk", flat=True)), now)


def _watch(workspace_id: int, conversation_ids: Sequence[int], now: datetime) -> None:
    budgets = {row.pk: row for row in Budget.objects.filter(workspace=workspace_id).order_by("id")}
    if not budgets:
        return
    at = _time(budgets.values(), now)
    people = _people(workspace_id, conversation_ids)
    found = standings(read_settings(workspace_id), people, at)
    happened = min(at, max((each.last_at for each in people.conversations.values()), default=at))
    since = _note(workspace_id, [each for each in found if each.standing.level], happened)
    workspace = Workspace.objects.get(pk=workspace_id)
    for budget in budgets.values():
        _tell(workspace, budget, [each for each in found if each.standing.rule.id == budget.pk], people, since, at)


def _time(budgets: Iterable[Budget], now: datetime) -> datetime:
    """Now; or, where the clock was set back, when they were last looked at: a window that has ended stays ended."""
    return max([now, *(budget.watched_at for budget in budgets if budget.watched_at)])


def _people(workspace_id: int, conversation_ids: Sequence[int]) -> People:
    rows = Agent.objects.filter(workspace=workspace_id).values_list("id", "name", "version")
    conversations = Conversation.objects.filter(workspace=workspace_id, pk__in=conversation_ids)
    found = conversations.select_related("agent").defer("search")
    return People({pk: (name, version) for pk, name, version in rows}, {each.pk: each for each in found})


# --- written down -----------------------------------------------------------------------------------------------------


def _note(workspace_id: int, found: Sequence[Judged], at: datetime) -> dict[_Key, datetime]:
    """Every share that was reached, once; and when each first was."""
    rows = [row for each in found for row in seen(workspace_id, each.standing, each.asker, at)]
    BudgetEvent.objects.bulk_create(rows, ignore_conflicts=True)
    wanted = {_key(row) for row in rows}
    known = BudgetEvent.objects.filter(
        workspace=workspace_id, budget__in={row.budget_id for row in rows}, external_id=None,
        conversation_name__in={row.conversation_name for row in rows},
    )  # fmt: skip
    return {_key(row): row.at for row in known if _key(row) in wanted} if rows else {}


def _key(row: BudgetEvent) -> _Key:
    asker = Asker(row.agent_name, row.agent_version, row.conversation_name)
    return (row.budget_id, asker, row.window_start, row.percent)


# --- told -------------------------------------------------------------------------------------------------------------


def _tell(
    workspace: Workspace,
    budget: Budget,
    found: Sequence[Judged],
    people: People,
    since: dict[_Key, datetime],
    at: datetime,
) -> None:
    signals = [_signal(each, people, since, at) for each in found]
    known = Incident.objects.filter(workspace=workspace, budget=budget).exclude(
        state=IncidentState.RESOLVED, awaits_ok=False
    )
    groups = set(known.values_list("group", flat=True))
    silent = groups - {signal.group for signal in signals}
    signals += [_well(group, at) for group in silent if budget.scope != BudgetScope.CONVERSATION]
    worth = [signal for signal in signals if signal.state == SignalState.FIRING or signal.group in groups]
    if worth:
        record_signals(workspace=workspace, budget=budget, signals=worth, at=at)


def _signal(each: Judged, people: People, since: dict[_Key, datetime], at: datetime) -> Signal:
    standing, group = each.standing, group_of(each.asker)
    conversation = _conversation(each, people)
    if not standing.level or _has_ended(standing, conversation, at):
        return _well(group, at)
    start = standing.window.start if standing.rule.every.is_calendar else None
    return Signal(
        group=group,
        state=SignalState.FIRING,
        severity=Severity.CRITICAL if standing.is_full else Severity.WARNING,
        since=since.get((standing.rule.id, each.asker, start, standing.level), at),
        value=standing.used,
        threshold=standing.limit * standing.level / _FULL,
        summary=_summary(each, conversation),
        evidence=_evidence(conversation),
    )


def group_of(asker: Asker) -> str:
    """Whose incident it is: a conversation's, an agent's or its version's; empty = everybody's."""
    return (asker.conversation or f"{asker.agent} {asker.version}".strip())[:_GROUP_CHARACTERS]


def _well(group: str, at: datetime) -> Signal:
    return Signal(group, SignalState.OK, Severity.INFO, at)


def _conversation(each: Judged, people: People) -> Conversation | None:
    if not each.asker.conversation:
        return None
    ours = (row for row in people.conversations.values() if row.external_id == each.asker.conversation)
    return max(ours, key=lambda row: row.last_at, default=None)


def _has_ended(standing: Standing, conversation: Conversation | None, at: datetime) -> bool:
    """Of a conversation's whole life, which has no window that ends."""
    is_life = standing.rule.every.period == BudgetPeriod.LIFE
    return is_life and conversation is not None and at - conversation.last_at > QUIET


def _summary(each: Judged, conversation: Conversation | None) -> str:
    words = each.standing.message if not each.standing.is_full else ""
    plain = f"The budget “{each.standing.rule.name}” is used up: {each.standing.percent} % of its limit."
    whose = str(conversation) if conversation else group_of(each.asker)
    return f"{whose[:_LABEL_CHARACTERS]}: {words or plain}" if whose else words or plain


def _evidence(conversation: Conversation | None) -> tuple[Evidence, ...]:
    if conversation is None:
        return ()
    return (Evidence("conversation", conversation.pk, str(conversation)[:_LABEL_CHARACTERS], conversation.last_at),)
