"""Every metric, read from rows whose figures are known."""

from datetime import timedelta
from pathlib import Path

import pytest

from conversations.agreement import krippendorff_alpha
from conversations.alerts.metrics import METRICS
from conversations.alerts.queries import events_of, events_of_all
from conversations.alerts.readings import alpha
from conversations.alerts.sources import Need
from conversations.models import AgentDay, Batch, Review, Verdict
from conversations.vocabulary import Overall
from tests.alerts.rows import compacted
from tests.factories import START, create_batch, create_conversation
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.spending.rows import create_price
from tests.web.audited import create_audit, create_finding

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MODEL = "model-of-a-test"


@pytest.fixture
def busy(acme):
    """A conversation with two compactions, ten minutes apart; the second failed and is not audited."""
    conversation = create_conversation(acme, agent="coder", model_names=[MODEL])
    first = compacted(
        acme, conversation=conversation, at=START, audit=None, number=1, position=1, model=MODEL, duration_ms=2500,
        tokens_before_reported=150_000, tokens_after_reported=50_000, cost_input_tokens=150_000,
        cost_output_tokens=2_000,
    )  # fmt: skip
    create_finding(first, 1, kind="prohibition", importance=0.9, outcome="forgotten")
    create_finding(first, 2, kind="value", importance=0.2, outcome="forgotten", evidence=[{"kind": "asked_again"}])
    create_finding(first, 3, kind="value", importance=0.6, outcome="altered")
    create_audit(first, added=4, open_losses=1, retention=0.5)
    compacted(
        acme, conversation=conversation, at=START + 10 * MINUTE, audit=None, number=2, position=5, summary=None,
        kind="truncation", error="overloaded", summary_state="failed", tokens_before_reported=None,
    )  # fmt: skip
    return first


def read(workspace, metric, *, until=START + DAY, **need):
    return [event.value for event in events_of(workspace, Need(metric, **need), START - DAY, until)]


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("forgotten", [2]),
        ("altered", [1]),
        ("lost", [3]),
        ("added", [4]),
        ("harm", [1]),
        ("open_losses", [1]),
        ("retention", [50]),
        ("compactions", [1, 1]),
        ("since_last", [10]),
        ("number", [1, 2]),
        ("failed", [0, 1]),
        ("opaque", [0, 0]),
        ("unannounced", [0, 1]),
        ("duration", [2.5]),
        ("tokens_before", [150_000]),
        ("tokens_after", [50_000]),
        ("freed", [100_000]),
        ("freed_share", [pytest.approx(66.667, abs=0.001)]),
        ("summary_length", [len("What happened so far.")]),
        ("compression", [3]),
        ("compacting_tokens", [152_000]),
    ],
)
def test_compactions(acme, busy, metric, values):
    assert read(acme, metric) == values


@pytest.mark.parametrize(
    ("metric", "need", "values"),
    [
        ("forgotten", {"fact_kind": "prohibition"}, [1]),
        ("forgotten", {"fact_kind": "value", "least_importance": 0.5}, [0]),
        ("lost", {"fact_kind": "value"}, [2]),
        ("lost", {"least_importance": 0.5}, [2]),
        ("harm", {"fact_kind": "value"}, [1]),
    ],
)
def test_some_facts(acme, busy, metric, need, values):
    assert read(acme, metric, **need) == values


def test_prices_and_windows_of_models(acme, busy):
    assert (read(acme, "compacting_cost"), read(acme, "window_use")) == ([], [])

    create_price(acme, pattern=MODEL, input_usd=3, output_usd=15, window=200_000)

    assert read(acme, "compacting_cost") == [pytest.approx(0.48)]
    assert read(acme, "window_use") == [75]


def test_share_of_a_day(acme, busy):
    AgentDay.objects.create(
        workspace=acme, agent=busy.conversation.agent, model=MODEL, day=START.date() - DAY, input_tokens=300,
        summary_output_tokens=100,
    )  # fmt: skip

    assert read(acme, "compacting_share") == [25]


def test_audit_that_is_waited_for(acme, busy):
    batch = create_batch(acme)
    Batch.objects.filter(pk=batch.pk).update(digested_at=START)
    acme.compactions.filter(number=2).update(batch=batch)

    assert read(acme, "audit_wait", until=START + 30 * MINUTE) == [0, 30]


@pytest.mark.parametrize(
    ("metric", "values"),
    [("arrivals", [1]), ("rejected", [3, 0]), ("failed_batches", [0, 1]), ("digest_lag", [20, 540])],
)
def test_batches(acme, busy, metric, values):
    """One was digested after 20 s; one has failed, and has waited for 9 minutes."""
    digested = create_batch(acme, found={"conversations": [busy.conversation.external_id]})
    failed = create_batch(acme)
    rows = Batch.objects.filter(workspace=acme)
    rows.filter(pk=digested.pk).update(
        received_at=START, digested_at=START + MINUTE / 3, rejected=3, state="digested"
    )  # fmt: skip
    rows.filter(pk=failed.pk).update(received_at=START + MINUTE, digested_at=None, rejected=0, state="failed")

    assert read(acme, metric, until=START + 10 * MINUTE) == values


# --- what people say -------------------------------------------------------------------------------------------------


@pytest.fixture
def say(acme, busy):
    """Hand in a review of the same item."""
    item = create_item(create_queue(acme, reviewers_per_item=3), busy)

    def say(name, overall, minute, *, answers=(), **fields):
        reviewer = create_reviewer(acme, name)
        review = Review.objects.create(
            workspace=acme, compaction=busy, item=item, reviewer=reviewer, overall=overall,
            submitted_at=START + minute * MINUTE, **fields,
        )  # fmt: skip
        for number, answer in enumerate(answers):
            Verdict.objects.create(
                workspace=acme, review=review, compaction=busy, fact_id=f"fact-{number}", answer=answer, number=number,
                probability=0.5,
            )  # fmt: skip

    return say


def test_verdicts(acme, say):
    say("ann", "harmful_loss", 1, answers=["agree", "not_lost"])
    say("ben", "minor_loss", 2, answers=["wrong_fact"])
    say("cem", "faithful", 3)

    assert read(acme, "harmful_reviews") == [1, 0, 0]
    assert read(acme, "lossy_reviews") == [1, 1, 0]
    assert sorted(read(acme, "verdicts_against")) == [0, 1, 1]


def test_agreement_is_of_every_pair_that_reviewed_the_same_item(acme, say):
    say("ann", "faithful", 1)
    assert read(acme, "agreement") == []
    say("ben", "faithful", 2)
    say("cem", "harmful_loss", 3)

    assert read(acme, "agreement") == [1, 0, 0]


def test_what_settles_and_what_says_nothing_is_no_opinion(acme, say):
    say("ann", "faithful", 1)
    say("ben", "", 2)
    say("cem", "harmful_loss", 3, settles=True)

    assert read(acme, "agreement") == []


def test_drafts_are_no_opinion(acme, say):
    say("ann", "faithful", 1)
    say("ben", "faithful", 2)
    Review.objects.filter(reviewer__name="Ben").update(submitted_at=None)

    assert read(acme, "agreement") == []


def test_alpha_is_the_one_of_the_page_of_agreement(acme, say):
    """Over all that was said; of what settles, and of drafts, nothing."""
    say("ann", "faithful", 1)
    assert alpha(read(acme, "agreement_alpha")) is None
    say("ben", "harmful_loss", 2)
    say("cem", "harmful_loss", 3)
    say("dan", "faithful", 4, settles=True)

    values = read(acme, "agreement_alpha")
    item = Review.objects.values_list("item", flat=True)[0]

    assert values == [3 * item, 3 * item + 2, 3 * item + 2]
    said = dict(enumerate(["faithful", "harmful_loss", "harmful_loss"]))
    assert alpha(values) == krippendorff_alpha([said], [*Overall]).value


# --- several at once -------------------------------------------------------------------------------------------------


def test_metrics_read_together_say_what_they_say_alone(acme, busy, django_assert_num_queries):
    needs = [Need(key) for key in ("forgotten", "failed", "since_last", "compacting_tokens")]
    with django_assert_num_queries(1):
        together = events_of_all(acme, needs, START - DAY, START + DAY, agents=None)

    assert together == {need: events_of(acme, need, START - DAY, START + DAY) for need in needs}


def test_every_metric_is_in_a_test_above():
    here = Path(__file__).read_text()

    assert [key for key in METRICS if f'"{key}"' not in here and not METRICS[key].takes_entry] == []
