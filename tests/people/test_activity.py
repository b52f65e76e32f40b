import pytest

from conversations.models import Activity
from conversations.people.activity import record_activity
from tests.factories import create_api_key
from tests.spending.rows import create_budget


def test_activity_names_who_did_what_to_what(alice, acme):
    budget = create_budget(acme, name="Monthly")

    record_activity(workspace=acme, actor=alice.user, action="budget.changed", target=budget, detail={"limit": [1, 2]})

    row = Activity.objects.get()
    assert (row.user, row.api_key, row.actor, row.action) == (alice.user, None, "Alice", "budget.changed")
    assert (row.target_kind, row.target_id, row.target) == ("budget", str(budget.pk), "Monthly")
    assert row.detail == {"limit": [1, 2]}


@pytest.mark.parametrize("program", ["key", "job"])
def test_programs_act_too(acme, program):
    actor = create_api_key(acme)[0] if program == "key" else "nightly purge"

    record_activity(workspace=acme, actor=actor, action="export.made")

    row = Activity.objects.get()
    assert (row.user, row.actor) == (None, str(actor))
    assert row.api_key == (actor if program == "key" else None)
    assert (row.target_kind, row.target_id, row.target, row.detail) == ("", "", "", {})


def test_what_was_done_outlives_who_did_it(alice, acme):
    record_activity(workspace=acme, actor=alice.user, action="budget.changed")

    alice.user.delete()

    assert Activity.objects.get().actor == "Alice"
