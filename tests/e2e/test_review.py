"""A person reviews compactions in a real browser: by keyboard, without losing what they typed, and without scripts."""

import os

import pytest

from conversations.models import Mark, Reservation, Review, Verdict
from tests.e2e.browsing import page, unusable  # noqa: F401 -- fixture
from tests.factories import create_compaction, create_conversation, create_message
from tests.review.rows import create_item, create_queue
from tests.web.audited import create_audit, create_finding

FACTS = 30
ANSWERS = {"1": "agree", "2": "not_lost", "3": "does_not_matter", "0": "wrong_fact"}


@pytest.fixture
def queue(acme, live_server):
    """Two items; the first has many facts."""
    queue = create_queue(acme, instructions="Look for **rules** first.")
    for number, facts in enumerate([FACTS, 1]):
        conversation = create_conversation(acme, title=f"Migrate billing {number}")
        dropped = [create_message(conversation, f"Never write to *ledger_v{n}*. " * 3) for n in range(3)]
        compaction = create_compaction(conversation, "# Goal\n\nThe port is **8443**.\n", dropped=dropped)
        for at in range(1, facts + 1):
            create_finding(compaction, at, said=dropped[at % 3])
        create_audit(compaction)
        create_item(queue, compaction, priority=9 - number)
    return queue


@pytest.fixture
def first(queue, alice):
    item = queue.items.order_by("-priority").first()
    return f"{item.compaction.get_absolute_url()}?queue={queue.pk}&item={item.pk}"


def told(page, words):  # noqa: F811
    page.locator("#bar-state", has_text=words).wait_for()


def look(page, name):  # noqa: F811
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_thirty_findings_are_judged_without_a_mouse(page, queue, first):  # noqa: F811
    page.goto(first)
    following = queue.items.get(priority=8).pk
    keys = [*ANSWERS]
    said = [keys[at % len(keys)] for at in range(FACTS)]

    for number, key in enumerate(said, 1):
        page.keyboard.press("n")
        page.locator(f"form[aria-label='Fact {number}']").wait_for()
        page.keyboard.press(key)
    page.locator("#bar-count", has_text=f"{FACTS} of {FACTS} judged").wait_for()
    page.keyboard.press("u")
    page.locator("#bar-count", has_text=f"{FACTS - 1} of {FACTS} judged").wait_for()
    page.keyboard.press("r")
    page.keyboard.type("Never write to ledger_v1.")
    page.keyboard.press("Enter")
    page.locator("#bar-count", has_text=f"{FACTS} of {FACTS} judged").wait_for()
    look(page, "judged")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    page.keyboard.press("c")
    page.keyboard.type("It lost two rules.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**item={following}")

    review = Review.objects.get(submitted_at__isnull=False)
    assert (review.overall, review.comment) == ("minor_loss", "It lost two rules.")
    verdicts = dict(review.verdicts.values_list("number", "answer"))
    assert verdicts == {at: ANSWERS[key] for at, key in enumerate(said, 1)} | {FACTS: "reword"}
    assert review.verdicts.get(answer="reword").reworded == "Never write to ledger_v1."


def test_the_next_item_is_reserved_and_fetched_once_this_one_is_worked_on(page, queue, first):  # noqa: F811
    page.goto(first)
    assert not Reservation.objects.filter(item__priority=8).exists()

    page.keyboard.press("f")
    link = page.locator("link[rel=prefetch]")
    link.wait_for(state="attached")

    following = queue.items.get(priority=8)
    assert link.get_attribute("href").endswith(f"queue={queue.pk}&item={following.pk}")
    assert Reservation.objects.filter(item=following).exists()


def test_what_is_typed_outlives_a_broken_connection_and_a_closed_tab(page, first):  # noqa: F811
    page.goto(first)
    page.route("**/review/save/**", lambda route: route.abort())

    page.keyboard.press("c")
    page.keyboard.type("Do not lose me.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("The server did not answer.").wait_for()
    look(page, "network")
    assert page.get_by_label("Comment").input_value() == "Do not lose me."
    page.reload()
    page.get_by_text("What you typed before was not saved.").wait_for()
    assert page.get_by_label("Comment").input_value() == "Do not lose me."
    page.unroute("**/review/save/**")
    page.get_by_role("button", name="Save again").click()
    told(page, "Saved")

    assert Review.objects.get().comment == "Do not lose me."
    page.reload()
    assert page.get_by_text("What you typed before was not saved.").count() == 0
    page.complaints.clear()  # the connection that this test broke


def test_answers_given_while_the_server_is_away_are_sent_when_it_is_back(page, first):  # noqa: F811
    page.route("**/review/verdict/**", lambda route: route.abort())
    page.goto(f"{first}&fact=1")
    page.keyboard.press("1")
    page.get_by_text("The server did not answer.").wait_for()
    page.unroute("**/review/verdict/**")

    page.keyboard.press("n")
    page.locator("form[aria-label='Fact 2']").wait_for()
    page.keyboard.press("2")
    page.locator("#bar-count", has_text=f"2 of {FACTS} judged").wait_for()

    assert dict(Verdict.objects.values_list("number", "answer")) == {1: "agree", 2: "not_lost"}
    page.complaints.clear()  # the connection that this test broke


@pytest.mark.parametrize(("button", "comment"), [("Save again", "Mine."), ("Take the newer", "From another tab.")])
def test_a_conflict_is_the_persons_to_solve(page, first, button, comment):  # noqa: F811
    page.goto(first)
    page.keyboard.press("f")
    told(page, "Saved")
    Review.objects.update(comment="From another tab.", revision=7)

    page.keyboard.press("c")
    page.get_by_label("Comment").fill("Mine.")
    page.get_by_text("This review was changed in another tab.").wait_for()
    look(page, "conflict")
    assert page.get_by_label("Comment").input_value() == "Mine."
    page.get_by_text(button).click()
    page.locator("#bar-notice").wait_for(state="hidden")
    page.wait_for_load_state()

    assert page.get_by_label("Comment", exact=True).input_value() == comment
    if button == "Save again":
        told(page, "Saved")
    assert Review.objects.get().comment == comment
    page.complaints.clear()  # a conflict is an answer that the console tells of


@pytest.mark.parametrize(
    ("selector", "words", "what"),
    [
        # as far as the auditor's own mark
        (".dropped-column .message:nth-of-type(2) .said", "Never wri", "missed"),
        (".summary-column .prose", "The port is 8443", "invented"),
    ],
)
def test_a_selection_becomes_a_mark(page, first, selector, words, what):  # noqa: F811
    page.goto(first)
    place = page.locator(selector).first
    place.scroll_into_view_if_needed()
    place.evaluate("""place => {
      const range = document.createRange();
      const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
      const nodes = [];
      while (walker.nextNode()) nodes.push(walker.currentNode);
      range.setStart(nodes.find(node => /Never|The port/.test(node.data)), 0);
      const last = nodes.find(node => /8443/.test(node.data)) ?? nodes.find(node => /Never/.test(node.data));
      range.setEnd(last, Math.min(last.data.length, 11));
      getSelection().addRange(range);
    }""")
    page.get_by_role("button", name="Missed fact" if what == "missed" else "Invented").wait_for()
    look(page, f"selection-{what}")
    page.keyboard.press("m")
    page.keyboard.type("In my words.")
    page.keyboard.press("Enter")
    page.get_by_text("1 marked").wait_for()

    mark = Mark.objects.get()
    assert (mark.what, mark.text, mark.quote.replace("*", "")) == (what, "In my words.", words)


def test_a_review_needs_no_script(chromium, live_server, alice, queue, first):
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": alice.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()  # noqa: F811

    page.goto(f"{first}&fact=1")
    page.get_by_role("button", name="not lost").click()
    assert page.locator("#bar-count").inner_text() == f"1 of {FACTS} judged"
    page.get_by_text("Rubric and comment").click()
    page.get_by_label("Comment").fill("Kept without scripts.")
    page.get_by_role("button", name="Save and next").click()
    assert page.get_by_text("Choose an overall verdict").is_visible()
    assert page.get_by_label("Comment").input_value() == "Kept without scripts."
    page.get_by_label("harmful loss").check()
    page.get_by_role("button", name="Save and next").click()

    assert Review.objects.get(submitted_at__isnull=False).comment == "Kept without scripts."
    assert Verdict.objects.get().answer == "not_lost"
    assert f"item={queue.items.get(priority=8).pk}" in page.url
    context.close()


def test_bar_is_usable_by_everybody(page, queue, first):  # noqa: F811
    queue.blind = True
    queue.save()
    page.emulate_media(reduced_motion="reduce")

    for url in (f"{first}&fact=2", first.split("?")[0]):
        page.goto(url)
        assert unusable(page) == [], url
