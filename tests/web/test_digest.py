from datetime import UTC, date, datetime, timedelta

import pytest

from conversations.review.digest import digest_of, monday_of
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.review.test_measures import hand_in
from tests.web.audited import create_audit, create_finding

MONDAY = date(2026, 11, 16)
WEEK, BEFORE = datetime(2026, 11, 18, 12, tzinfo=UTC), datetime(2026, 11, 15, 23, 59, 59, tzinfo=UTC)
PAGE = "/w/acme/review/digest/2026-W47/"


def compacted(workspace, at, **counts):
    compaction = create_compaction(create_conversation(workspace, title="Long job"), at=at)
    create_audit(compaction, **{"kept": 0, "altered": 0, "forgotten": 0, "added": 0, "harmful": 0, **counts})
    return compaction


def trends(digest):
    return {each.name: (each.now, each.before) for each in digest.trends}


def test_week_is_told_beside_the_week_before(acme):
    compacted(acme, WEEK, forgotten=3, harmful=1, retention=0.5)
    compacted(acme, datetime(2026, 11, 16, tzinfo=UTC), forgotten=1, added=2, retention=0.7)
    compacted(acme, BEFORE, altered=4, retention=0.9)
    compacted(acme, datetime(2026, 11, 23, tzinfo=UTC), forgotten=99)

    told = trends(digest_of(acme, MONDAY, 0))

    assert told["Compactions"] == (2, 1)
    assert told["Facts forgotten"] == (4, 0)
    assert told["Facts altered"] == (0, 4)
    assert told["Statements added"] == (2, 0)
    assert told["Losses that did harm"] == (1, 0)
    assert told["Kept of what mattered"] == (pytest.approx(0.6), 0.9)


def test_week_without_anything_is_empty_and_unknown_is_not_nothing(acme):
    digest = digest_of(acme, MONDAY, 0)

    assert digest.is_empty
    assert trends(digest)["Kept of what mattered"] == (None, None)


def test_reviews_count_by_queue_and_week(acme):
    queue = create_queue(acme, items=2, goal_per_week=4)
    first, second = queue.items.all()
    ada, ben = (create_reviewer(acme, name) for name in ("ada", "ben"))
    hand_in(first, ada, submitted_at=WEEK)
    hand_in(first, ben, submitted_at=WEEK)
    hand_in(second, ada, submitted_at=BEFORE)

    digest = digest_of(acme, MONDAY, 0)

    [told] = digest.queues
    assert (told.handed_in, told.goal_percent) == (2, 50)
    assert trends(digest)["Reviews handed in"] == (2, 1)
    assert digest.agreement.percent.units == 1


def test_harmful_losses_are_told_the_worst_first_with_the_best_ranked_finding(acme):
    mild, bad = compacted(acme, WEEK, harmful=1, risk=0.2), compacted(acme, WEEK, harmful=2, risk=0.9)
    create_finding(mild, 1, text="mild", harmful=True)
    create_finding(bad, 1, text="no harm")
    create_finding(bad, 2, text="grave", harmful=True)
    create_finding(bad, 5, text="another", harmful=True)

    told = digest_of(acme, MONDAY, 0).harmful

    assert [(each.finding.text, each.others) for each in told] == [("grave", 1), ("mild", 0)]


def test_who_judges_blindly_is_not_told(alice, acme):
    compaction = compacted(acme, WEEK, harmful=1)
    create_finding(compaction, 1, text="the port is 8443", harmful=True)
    item = create_item(create_queue(acme, blind=True), compaction)
    ada = create_reviewer(acme, "ada")

    assert digest_of(acme, MONDAY, ada.pk).harmful == []
    assert "you are to judge them blindly first" in alice.get(PAGE).content.decode()

    hand_in(item, ada)
    assert len(digest_of(acme, MONDAY, ada.pk).harmful) == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_as_much_for_any_number_of_rows(victor, acme, rows, django_assert_num_queries):
    for number in range(rows):
        create_finding(compacted(acme, WEEK, harmful=1), 1, harmful=True)
        queue = create_queue(acme, items=1, name=f"Queue {number}")
        hand_in(queue.items.get(), create_reviewer(acme, f"ada-{number}"), submitted_at=WEEK)
    victor.get(PAGE)

    with django_assert_num_queries(12):
        response = victor.get(PAGE)

    assert len(response.context["digest"].harmful) == len(response.context["digest"].queues) == rows


def test_page_says_what_changed_and_whether_that_is_good(victor, acme):
    compacted(acme, WEEK, forgotten=3, retention=0.5)
    compacted(acme, BEFORE, forgotten=5, retention=0.9)

    html = victor.get(PAGE).content.decode()

    assert '<span class="badge info">−2</span>' in html
    assert '<span class="badge warning">−40 points</span>' in html
    assert "16 Nov 2026 to 22 Nov 2026" in html


def test_hostile_fact_is_escaped(victor, acme):
    create_finding(compacted(acme, WEEK, harmful=1), 1, text="<script>alert(1)</script>", harmful=True)

    assert "<script>alert" not in victor.get(PAGE).content.decode()


def test_page_of_now_leads_back_and_not_into_what_is_yet_to_come(victor):
    response = victor.get("/w/acme/review/digest/")

    assert response.context["next"] == ""
    assert "Nothing happened in these two weeks" in response.content.decode()
    assert victor.get(response.context["previous"]).status_code == 200


@pytest.mark.parametrize("week", ["2026-W54", "0-W1", "9999-W52", "2026-W00"])
def test_weeks_that_are_none_do_not_exist(victor, week):
    assert victor.get(f"/w/acme/review/digest/{week}/").status_code == 404


def test_weeks_of_two_years_are_one_week(victor):
    assert victor.get("/w/acme/review/digest/2020-W53/").context["digest"].monday == date(2020, 12, 28)
    assert monday_of(date(2021, 1, 3)) == date(2020, 12, 28)
    assert monday_of(date(2020, 12, 28) + timedelta(days=7)) == date(2021, 1, 4)
