import pytest

from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_item, create_queue
from tests.web.audited import create_audit, create_finding
from tests.web.reviewing.bars import SUMMARY


@pytest.fixture
def conversation(acme):
    return create_conversation(acme, title="Migrate billing")


@pytest.fixture
def dropped(conversation):
    return [create_message(conversation, f"Never write to *ledger_v{n}*.\nAsk first.") for n in range(3)]


@pytest.fixture
def compaction(conversation, dropped):
    row = create_compaction(conversation, SUMMARY, dropped=dropped)
    for number, outcome in enumerate(["forgotten", "altered", "kept"], 1):
        create_finding(row, number, said=dropped[3 - number], near="the port is 8443", outcome=outcome,
                       first=dropped[3 - number].position, reason=f"Reason {outcome}.")  # fmt: skip
    create_audit(row)
    return row


@pytest.fixture
def queue(acme):
    return create_queue(acme, instructions="Look for **rules**.", reviewers_per_item=1)


@pytest.fixture
def item(queue, compaction):
    return create_item(queue, compaction, priority=5)


@pytest.fixture
def blind(queue, item):
    queue.blind = True
    queue.save()
    return item
