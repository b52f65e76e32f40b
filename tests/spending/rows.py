"""Sums and budgets for tests, as counting and the settings page would leave them."""

from django.db.models import F

from conversations.models import AgentDay, AgentTotal, Budget, ConversationCount, ConversationDay, ModelPrice
from tests.factories import START

DAY = START.date()


def spend(conversation, *, model="claude-opus-5", day=DAY, **sums):
    """What a conversation sent of one model on one day, with its agent's sums."""
    sums = {"calls": 1, **sums}
    ConversationDay.objects.create(
        workspace=conversation.workspace, conversation=conversation, model=model, day=day, **sums
    )
    ConversationCount.objects.get_or_create(
        workspace=conversation.workspace,
        conversation=conversation,
        defaults={"frontier": 1, "agent": conversation.agent},
    )
    for table, key in ((AgentDay, {"day": day}), (AgentTotal, {})):
        row, is_new = table.objects.get_or_create(
            workspace=conversation.workspace, agent=conversation.agent, model=model, **key, defaults=sums
        )
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
