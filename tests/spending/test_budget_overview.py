"""Who has used how much of a budget, of many conversations at once."""

from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from conversations.spending.budget_overview import people_of, standings
from conversations.spending.budget_settings import read_settings
from tests.factories import create_conversation
from tests.spending.rows import create_budget, create_override, spend


class Counted(dict):
    """Counts how often somebody goes through all of it."""

    walks = 0

    def values(self):
        self.walks += 1
        return super().values()


def test_overrides_of_tags_hold_for_each_and_conversations_are_gone_through_once(acme):
    for number in range(4):
        tags = ["nightly"] if number == 2 else []
        spend(create_conversation(acme, external_id=f"c{number}", tags=tags), calls=1)
    soon = timezone.now() + timedelta(minutes=1)
    budget = create_budget(acme, limit=100)
    create_override(budget, tag_name="nightly", expires_at=soon + timedelta(days=1))
    people = people_of(acme, with_conversations=True)
    conversations = Counted(people.conversations)

    found = standings(read_settings(acme.pk), replace(people, conversations=conversations), soon)

    assert {each.asker.conversation: each.standing.limit for each in found} == {
        "c0": 100, "c1": 100, "c2": 5000, "c3": 100,
    }  # fmt: skip
    assert conversations.walks == 1
