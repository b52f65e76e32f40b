"""Three people in three browsers, at once, on one queue of 200 items: nobody's verdict is lost, no item is judged by
more people than asked, what somebody left comes back, and the agreement is what other libraries say of the export."""

import json
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import combinations
from urllib.parse import parse_qs, urlencode, urlsplit

import krippendorff
import pytest
from django.db.models import Count
from django.db.models.base import ModelState
from django.test import Client
from django.utils import timezone
from sklearn.metrics import cohen_kappa_score

from conversations.models import QueueItem, Reservation, Review
from conversations.review.measures import agreement_of
from tests.factories import create_compaction, create_conversation
from tests.review.rows import create_item, create_queue, create_reviewer
from tests.web.audited import create_audit, create_finding

ITEMS, ASKED = 200, 2
BY_KEYBOARD = 3  # items of each person
LEAVES_AFTER = 40  # items, one of the three
KEYS = {"faithful": "f", "minor_loss": "l", "harmful_loss": "h"}
OVERALLS = [*KEYS]
ANSWERS = {"agree": "1", "not_lost": "2"}
TOKEN = "t" * 32


@pytest.fixture
def queue(acme, live_server):
    queue = create_queue(acme, reviewers_per_item=ASKED)
    first = create_compaction(create_conversation(acme, title="Migrate billing"), "The port is 8443.")
    finding, audit = create_finding(first), create_audit(first)
    item = create_item(queue, first, priority=ITEMS)
    numbers = range(2, ITEMS + 1)
    told = like(first.summary_message, [{"external_id": f"summary-{n}", "position": 10 * n} for n in numbers])
    fields = [{"number": n, "external_id": f"boundary-{n}", "position": 10 * n - 1} for n in numbers]
    compactions = like(first, [{**each, "summary_message": row} for each, row in zip(fields, told, strict=True)])
    for row, more in ((finding, {}), (audit, {}), (item, {"priority": 1})):
        like(row, [{"compaction": each, **more} for each in compactions])
    return queue


def like(row, changes):
    """Rows like it, each with its changes, stored at once: one by one they take as long as all that is tested."""
    copies = []
    for fields in changes:
        made = copy(row)
        made.pk, made._state = None, ModelState()
        for name, value in fields.items():
            setattr(made, name, value)
        copies.append(made)
    return type(row).objects.bulk_create(copies)


@dataclass
class Person:
    """One of the three: a session, a browser's tab, and what they said by item: (overall, answer on the fact)."""

    name: str
    at: int  # 0, 1, 2
    session: str
    server: str
    said: dict = field(default_factory=dict)

    def opinion(self, item):
        """Mostly the same as the others', and not always."""
        differs = item % 4 == self.at
        overall = OVERALLS[(item // 3 + differs) % len(OVERALLS)]
        return overall, [*ANSWERS][(item // 3 + differs) % 2] if item % 3 == 0 else ""

    def judge_by_keyboard(self, page):
        """The item on the page, and on to the next one."""
        item = item_in(page.url)
        overall, answer = self.opinion(item)
        if answer:
            page.keyboard.press("n")
            page.locator("form[aria-label='Fact 1']").wait_for()
            page.keyboard.press(ANSWERS[answer])
            page.locator("#bar-count", has_text="1 of 1 judged").wait_for()
        page.keyboard.press(KEYS[overall])
        page.keyboard.press("Control+Enter")
        page.wait_for_url(lambda url: item_in(url) != item)
        self.said[item] = (overall, answer)

    def judge_the_rest(self, queue, most=ITEMS):
        """Through the same addresses as the page, until nothing waits for this person or `most` are done."""
        self.connection = HTTPConnection(urlsplit(self.server).netloc, timeout=30)
        address = self._leads_to("GET", f"/w/acme/review/{queue}/next/")
        for _ in range(most):
            if "item=" not in address:
                break
            address = self._judge(urlsplit(address))
        self.connection.close()

    def _judge(self, address):
        item = item_in(address.geturl())
        overall, answer = self.opinion(item)
        if answer:
            self._leads_to("POST", f"{address.path}review/verdict/?{address.query}", fact="fact-1", answer=answer)
        sent = {"revision": int(bool(answer)), "overall": overall, "comment": self.name, "then": "submit"}
        following = self._leads_to("POST", f"{address.path}review/save/?{address.query}", **sent)
        self.said[item] = (overall, answer)
        return following

    def _leads_to(self, method, address, **data):
        headers = {
            "Cookie": f"sessionid={self.session}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN,
            "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        self.connection.request(method, address, urlencode(data), headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status in {302, 303}, (address, answer.status)
        return answer.headers["Location"]


def item_in(address):
    return int(parse_qs(urlsplit(address).query)["item"][0])


@pytest.fixture
def people(acme, live_server):
    found = []
    for at, name in enumerate(("ann", "ben", "cleo")):
        client = Client()
        client.force_login(create_reviewer(acme, name))
        found.append(Person(name.title(), at, client.cookies["sessionid"].value, live_server.url))
    return found


@pytest.fixture
def tabs(chromium, live_server, people):
    """One for each, in a browser profile of their own."""
    contexts = []
    for person in people:
        context = chromium.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        context.add_cookies([{"name": "sessionid", "value": person.session, "url": live_server.url}])
        contexts.append(context)
    yield [context.new_page() for context in contexts]
    for context in contexts:
        context.close()


def test_three_people_work_through_a_queue_of_two_hundred(people, tabs, queue, alice):
    judge_by_keyboard(people, tabs)
    ann, ben, cleo = people
    at_once((ann, queue, ITEMS), (ben, queue, ITEMS), (cleo, queue, LEAVES_AFTER))
    left = what_cleo_left(queue)

    Reservation.objects.filter(user__name="Cleo").update(expires_at=timezone.now())
    at_once((ann, queue, ITEMS), (ben, queue, ITEMS))

    assert set(Review.objects.filter(item__in=left).values_list("reviewer__name", flat=True)) == {"Ann", "Ben"}
    assert_nothing_is_lost(people, queue)
    assert_agreement_is_what_others_calculate(alice, people, queue)


def judge_by_keyboard(people, tabs):
    for page in tabs:
        page.goto("/w/acme/review/")
        page.keyboard.press("r")
        page.wait_for_url("**item=*")
    for _ in range(BY_KEYBOARD):
        for person, page in zip(people, tabs, strict=True):
            person.judge_by_keyboard(page)
    assert Review.objects.filter(submitted_at__isnull=False).count() == BY_KEYBOARD * len(people)


def at_once(*work):
    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(person.judge_the_rest, queue.pk, most) for person, queue, most in work]:
            done.result()


def what_cleo_left(queue):
    """Items on which she holds a place: as many as were asked for are not there, and yet nobody else may have it."""
    held = Reservation.objects.filter(user__name="Cleo", expires_at__gt=timezone.now()).values_list("item", flat=True)
    left = set(queue.items.filter(pk__in=held).values_list("pk", flat=True))
    assert left
    assert set(queue.items.filter(state="waiting").values_list("pk", flat=True)) == left
    return left


def assert_nothing_is_lost(people, queue):
    reviews = Review.objects.filter(item__queue=queue, submitted_at__isnull=False)
    told = {
        (each.reviewer.name, each.item_id): (each.overall, "".join(verdict.answer for verdict in each.verdicts.all()))
        for each in reviews.select_related("reviewer").prefetch_related("verdicts")
    }
    said = {(person.name, item): words for person in people for item, words in person.said.items()}
    assert told == said
    numbers = QueueItem.objects.filter(queue=queue).annotate(n=Count("reviews")).values_list("n", flat=True)
    assert set(numbers) == {ASKED}
    assert set(queue.items.values_list("state", flat=True)) <= {"done", "disagreed"}
    assert len(said) == ITEMS * ASKED
    assert min(len(person.said) for person in people) >= BY_KEYBOARD + LEAVES_AFTER


def assert_agreement_is_what_others_calculate(alice, people, queue):
    export = alice.get("/api/v1/evaluation-set", {"workspace": "acme", "format": "jsonl", "names": "true"})
    lines = b"".join(export.streaming_content) if export.streaming else export.content
    rows = [json.loads(line) for line in lines.splitlines()]
    names = [person.name for person in people]
    overall = [{each["reviewer"]: OVERALLS.index(each["overall"]) for each in row["reviews"]} for row in rows]
    answers = [{each["reviewer"]: [*ANSWERS].index(each["answer"]) for each in row["labels"]} for row in rows]

    found = agreement_of(queue.workspace, queue)

    alphas = {each.name: each.alpha.value for each in found.criteria}
    assert alphas["Overall verdict"] == pytest.approx(alpha(overall, names, "ordinal"))
    assert alphas["Single findings"] == pytest.approx(alpha(answers, names, "nominal"))
    kappas = {(pair.first, pair.second): pair.kappa.value for pair in found.pairs}
    for one, other in combinations(names, 2):
        both = [(each[one], each[other]) for each in overall if one in each and other in each]
        assert kappas[one, other] == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)))


def alpha(units, names, level):
    table = [[unit.get(name, float("nan")) for unit in units] for name in names]
    return krippendorff.alpha(reliability_data=table, level_of_measurement=level)
