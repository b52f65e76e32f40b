import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.ingest import services
from conversations.models import (
    AgentDay,
    AgentTotal,
    Compaction,
    Conversation,
    ConversationCount,
    ConversationDay,
    Request,
)
from conversations.spending.tally import NAMES

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def turn(number, tokens, *, output=10, **fields):
    usage = {"input_tokens": tokens, "output_tokens": output}
    return {
        "type": "request", "id": f"r{number}", "conversation": "c", "sequence": number * 10, "model": "claude-opus-5",
        "at": (AT + timedelta(hours=number)).isoformat(), "usage": usage, **fields,
    }  # fmt: skip


def cut(number, **fields):
    return {
        "type": "compaction", "id": f"k{number}", "conversation": "c", "sequence": number * 10 + 5, "kind": "client",
        "at": (AT + timedelta(hours=number)).isoformat(), "summary": "What was said.", **fields,
    }  # fmt: skip


@pytest.fixture
def send(acme):
    def send_events(*events):
        body = json.dumps({"events": list(events)}).encode()
        receipt = services.accept_events(workspace=acme, body=body, claimed=True)
        services.digest_claimed([receipt.batch])

    return send_events


def sums(rows=ConversationDay):
    found = {}
    for row in rows.objects.all():
        mine = found.setdefault((row.model, str(getattr(row, "day", ""))), {})
        for name in NAMES:
            if value := getattr(row, name):
                mine[name] = mine.get(name, 0) + value
    return found


def forget_agents():
    AgentDay.objects.all().delete()
    AgentTotal.objects.all().delete()


def total(name, rows=ConversationDay):
    return sum(getattr(row, name) for row in rows.objects.all())


def test_turns_are_summed_by_model_and_day(send):
    send(turn(1, 1000), turn(2, 2000), turn(16, 3000), turn(17, 10, model="claude-haiku-4-5"))

    assert sums() == {
        ("claude-opus-5", "2026-11-20"): {"calls": 2, "input_tokens": 3000, "output_tokens": 20},
        ("claude-opus-5", "2026-11-21"): {"calls": 1, "input_tokens": 3000, "output_tokens": 10},
        ("claude-haiku-4-5", "2026-11-21"): {"calls": 1, "input_tokens": 10, "output_tokens": 10},
    }
    assert sums(AgentDay) == sums()
    assert {model: found["input_tokens"] for (model, _), found in sums(AgentTotal).items()} == {
        "claude-opus-5": 6000, "claude-haiku-4-5": 10,
    }  # fmt: skip


def test_what_a_compaction_freed_is_counted_on_every_turn_after_it(send):
    send(turn(1, 1000), turn(2, 90_000), cut(2), turn(3, 20_000), turn(4, 25_000))

    count = ConversationCount.objects.get()
    assert total("freed_input_tokens") == 2 * (90_010 - 20_000)
    assert (count.peak, count.would_peak) == (90_000, 25_000 + 70_010)


def test_reading_only_what_is_new_gives_the_same(send):
    events = [turn(1, 1000), turn(2, 90_000), cut(2), turn(3, 20_000), turn(4, 80_000), cut(4), turn(5, 15_000)]
    for event in events:
        send(event)

    step_by_step = (sums(), sums(AgentDay), ConversationCount.objects.values().get())
    Conversation.objects.all().delete()
    forget_agents()
    send(*events)

    assert (sums(), sums(AgentDay)) == step_by_step[:2]
    count = ConversationCount.objects.values().get()
    ours = {"id", "conversation_id"}
    assert {k: v for k, v in count.items() if k not in ours} == {
        k: v for k, v in step_by_step[2].items() if k not in ours
    }


def test_reading_on_reads_only_what_is_new(send, django_assert_max_num_queries):
    send(*(turn(number, number * 10) for number in range(1, 50)))
    Request.objects.exclude(external_id="r49").update(input_tokens=10**9)  # would be seen if it were read again

    send(turn(50, 500))

    assert total("input_tokens") == sum(range(10, 500, 10)) + 500


@pytest.mark.parametrize(
    "late",
    [
        turn(1.5, 7000),
        cut(1),
        turn(3, 21_000),
        cut(2, cost={"input_tokens": 90_000, "output_tokens": 900}),
        cut(2, summary_state="failed", summary=None),
    ],
)
def test_what_comes_late_or_changes_is_counted_as_if_it_had_been_there(send, late):
    late = {**late, "sequence": int(late["sequence"])}
    events = [turn(1, 1000), turn(2, 90_000), cut(2), turn(3, 20_000), turn(4, 25_000)]
    send(*events)
    send(late)
    after = (sums(), sums(AgentDay))

    Conversation.objects.all().delete()
    forget_agents()
    send(*[event for event in events if event["id"] != late["id"]], late)

    assert (sums(), sums(AgentDay)) == after


def test_summary_told_as_a_call_and_as_the_compactions_cost_counts_once(send):
    usage = {"input_tokens": 90_000, "output_tokens": 900}
    send(turn(2, 90_000))
    send({**turn(2.2, 0), "id": "s", "sequence": 22, "purpose": "compaction", "usage": usage})
    send(cut(2, cost=usage))

    assert (total("summary_input_tokens"), total("summary_output_tokens")) == (90_000, 900)
    assert total("unpriced_compactions") == 0


def test_summary_whose_cost_is_not_told_is_said_to_be_missing(send):
    send(turn(1, 1000), cut(1), cut(2, kind="tool_clear", summary=None), cut(3, kind="truncation", summary=None))

    assert (total("compactions"), total("unpriced_compactions")) == (3, 1)


def test_conversation_that_moves_to_another_agent_takes_its_sums_along(send):
    send({"type": "conversation", "conversation": "c", "agent": "coder", "agent_version": "1"}, turn(1, 1000))
    send({"type": "conversation", "conversation": "c", "agent": "coder", "agent_version": "2"})
    send(turn(2, 500))

    found = {row.agent.version: row.input_tokens for row in AgentDay.objects.select_related("agent")}
    assert found == {"1": 0, "2": 1500}


def test_copied_compaction_is_paid_for_where_it_happened(send, acme):
    send(turn(1, 1000), turn(2, 9000))
    conversation = Conversation.objects.get()
    original = Compaction.objects.create(
        workspace=acme, conversation=conversation, external_id="o", position=1, at=AT, kind="client",
        summary_state="text", copy_of=None,
    )  # fmt: skip
    Compaction.objects.create(
        workspace=acme, conversation=conversation, external_id="x", position=25, at=AT, kind="client",
        summary_state="text", copy_of=original, cost_input_tokens=5,
    )  # fmt: skip

    send(cut(3))

    assert (total("compactions"), total("summary_input_tokens")) == (2, 0)


events = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.integers(0, 100_000), st.integers(0, 500)),
        st.tuples(st.just("cut"), st.sampled_from(["client", "tool_clear", "truncation"]), st.booleans()),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=events, order=st.randoms(use_true_random=False), groups=st.integers(1, 4))
def test_any_order_and_any_batches_give_the_same_sums(send, made, order, groups):
    Conversation.objects.all().delete()
    forget_agents()
    told = [
        turn(n, one, output=two)
        if kind == "turn"
        else cut(n, kind=one, **({"cost": {"input_tokens": n + 1}} if two else {}))
        for n, (kind, one, two) in enumerate(made, 1)
    ]
    send(*told)
    at_once = (sums(), sums(AgentDay))
    Conversation.objects.all().delete()
    forget_agents()
    order.shuffle(told)

    for start in range(groups):
        if told[start::groups]:
            send(*told[start::groups])

    assert {key: value for key, value in sums().items() if value} == at_once[0]
    assert {key: value for key, value in sums(AgentDay).items() if value} == at_once[1]
    assert total("input_tokens", AgentTotal) == total("input_tokens")
    assert total("freed_input_tokens", AgentTotal) == total("freed_input_tokens")


def test_recount_puts_right_what_went_wrong(send, capsys):
    send({"type": "conversation", "conversation": "c", "agent": "coder"}, turn(1, 1000), turn(2, 90_000), cut(2))
    send(turn(3, 20_000), turn(1, 5, id="other", conversation="d"))
    right = (sums(), sums(AgentDay), sums(AgentTotal))
    ConversationDay.objects.update(input_tokens=7, model="wrong")
    AgentDay.objects.update(input_tokens=8)
    AgentTotal.objects.update(input_tokens=9)
    ConversationCount.objects.filter(conversation__external_id="d").delete()

    call_command("recount")

    assert (sums(), sums(AgentDay), sums(AgentTotal)) == right
    assert capsys.readouterr().out == "acme: 2 conversations\n"
