import pytest

from conversations import tasks
from conversations.models import Activity, RankingVersion
from conversations.review import learning
from tests.factories import create_compaction, create_conversation
from tests.review.test_learning import TASTE, team
from tests.review.test_report_card import judge, review
from tests.web.audited import create_audit, create_finding

CARD, WISH = "/w/acme/review/auditor/", "/w/acme/review/auditor/learning/"
SETTINGS = "/w/acme/settings/workspace/"


def create_version(acme, learned, **fields):
    return RankingVersion.objects.create(
        workspace=acme, number=1, state=learned.state, weights=learned.weights,
        trial=learning.msgspec.to_builtins(learned.trial), **fields,
    )  # fmt: skip


@pytest.fixture
def judged(acme):
    judge(review(acme, "ada"), "agree")


def text(member):
    return " ".join(member.get(CARD).content.decode().split())


def test_card_waits_for_verdicts_and_says_for_how_many(victor, acme, judged):
    assert "Nothing was learned yet" in text(victor)
    tasks.teach_rankings()

    words = text(victor)
    assert "waiting for verdicts" in words
    assert "It takes 100, 50 and 6." in words


def test_card_shows_figures_before_and_after_on_the_held_out_part(victor, acme, judged):
    learned = learning.learn(team(1, taste=TASTE))
    create_version(acme, learned, total=7, done=3)

    words = text(victor)

    trial = learned.trial
    assert f"{trial.before.value:.0%}".replace("%", " %") in words
    assert f"{trial.after.value:.0%}".replace("%", " %") in words
    assert f"{trial.gain.value * 100:+.1f} points" in words
    assert f"{trial.gain.low * 100:+.1f} to {trial.gain.high * 100:+.1f}" in words
    assert f"{trial.held} judged losses, {trial.conversations} conversations" in words
    assert "3 of 7 compactions" in words
    assert "kind decision" in words


def test_card_says_where_the_shipped_ranking_stays(victor, acme, judged):
    create_version(acme, learning.learn(team(1)))

    assert "It did no better on the held-out part than what is shipped" in text(victor)


def test_a_team_does_without_and_comes_back(alice, acme, judged, django_capture_on_commit_callbacks):
    create_version(acme, learning.learn(team(1, taste=TASTE)))
    assert "Use the ranking as shipped" in alice.get(SETTINGS).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        response = alice.post(WISH, {"learns": ""}, follow=True)

    assert "The ranking is as it is shipped from now on." in response.content.decode()
    assert RankingVersion.objects.get(number=2).weights == {}
    assert "Your workspace does without it" in text(alice)
    with django_capture_on_commit_callbacks(execute=True):
        alice.post(WISH, {"learns": "1"})
    acme.refresh_from_db()
    assert acme.learns_ranking
    assert list(Activity.objects.order_by("id").values_list("action", flat=True)) == [
        "ranking.as_shipped", "ranking.learns",
    ]  # fmt: skip


def test_a_finding_says_where_it_stood_without_the_verdicts(bob, acme):
    compaction = create_compaction(create_conversation(acme))
    create_finding(compaction, 1, kind="decision", rank=0.4)
    create_finding(compaction, 2, kind="value", rank=0.3)
    create_audit(compaction)
    version = RankingVersion.objects.create(workspace=acme, number=4, state="used", weights={"kind value": 2.0})
    tasks.apply_ranking(version.pk)

    html = bob.get(compaction.get_absolute_url(), {"fact": 1}).content.decode()

    # the second of the shipped order is the first now
    assert "without your team&#x27;s verdicts 2, score 0.30 (learned ranking, version 4)" in html
    assert "What makes up the shift of the rank by your team&#x27;s verdicts" in html
    assert "+2" in html
