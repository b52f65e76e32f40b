"""Sums and budgets for tests, as counting and the settings page would leave them."""

from datetime import timedelta

from django.db.models import F

from conversations.models import (
    AgentDay,
    AgentSlot,
    AgentTotal,
    Budget,
    BudgetOverride,
    ConversationCount,
    ConversationDay,
    ConversationSlot,
    ModelPrice,
    SpendingVersion,
)
from conversations.spending.tally import COUNTED
from conversations.spending.windows import midnight
from tests.factories import START

DAY = START.date()


def spend(conversation, *, model="claude-opus-5", day=DAY, slot=None, **sums):
    """What a conversation sent of one model on one day, in its first quarter of an hour or the one given."""
    sums = {"calls": 1, **sums}
    slot = slot or midnight(day)
    day = slot.date()
    counted = {name: value for name, value in sums.items() if name in COUNTED}
    where = {"workspace": conversation.workspace, "model": model}
    add(ConversationDay, sums, conversation=conversation, day=day, **where)
    add(ConversationSlot, counted, conversation=conversation, start=slot, **where)
    add(AgentDay, sums, agent=conversation.agent, day=day, **where)
    add(AgentSlot, counted, agent=conversation.agent, start=slot, **where)
    add(AgentTotal, sums, agent=conversation.agent, **where)
    ConversationCount.objects.get_or_create(
        workspace=conversation.workspace,
        conversation=conversation,
        defaults={"frontier": 1, "agent": conversation.agent},
    )
    version, _ = SpendingVersion.objects.get_or_create(workspace=conversation.workspace)
    SpendingVersion.objects.filter(pk=version.pk).update(counted=F("counted") + 1)


def add(table, sums, **key):
    row, is_new = table.objects.get_or_create(**key, defaults=sums)
    if not is_new:
        table.objects.filter(pk=row.pk).update(**{name: F(name) + value for name, value in sums.items()})


def create_budget(workspace, **fields):
    made = {
        "name": "Tokens", "scope": "conversation", "metric": "total_tokens", "limit": 1000, "action": "wrap_up",
        **fields,
    }  # fmt: skip
    return Budget.objects.create(workspace=workspace, **made)


def create_price(workspace, **fields):
    made = {
        "pattern": "our-*", "input_usd": 3, "cache_read_usd": 0, "cache_write_usd": 0, "output_usd": 0, **fields,
    }  # fmt: skip
    return ModelPrice.objects.create(workspace=workspace, **made)


def create_override(budget, **fields):
    made = {"limit": 5000, "expires_at": START + timedelta(days=1), "reason": "A long run.", **fields}
    return BudgetOverride.objects.create(workspace=budget.workspace, budget=budget, **made)
