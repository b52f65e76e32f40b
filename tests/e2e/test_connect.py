"""From the page that waits for the first event to the conversation that it turned into, by the snippet itself."""

import re
import shutil
import subprocess

import pytest
from playwright.sync_api import expect

from conversations.models import Conversation
from tests.e2e.browsing import filled, go, page  # noqa: F401 -- fixtures

CURL = shutil.which("curl")


def run_snippet(text):
    """In a shell, as a person would."""
    return subprocess.run(["bash", "-e"], input=text, text=True, capture_output=True, check=False, timeout=60)


@pytest.mark.skipif(CURL is None, reason="no curl is installed")
@pytest.mark.parametrize(("way", "external_id"), [("exchanges", "first-exchange"), ("events", "first-events")])
def test_first_event_turns_the_page_into_a_link(page, way, external_id):  # noqa: F811
    go(page, "connect/")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_text("Waiting for your first event")).to_be_visible()

    sent = run_snippet(page.locator(f"#{way}-1").text_content())

    assert '"accepted"' in sent.stdout, sent
    link = page.locator("#waiting a")
    expect(page.get_by_text("It has arrived.")).to_be_visible(timeout=30_000)
    link.click()
    conversation = Conversation.objects.get(external_id=external_id)
    expect(page).to_have_url(re.compile(rf"/conversations/{conversation.pk}/$"))


def test_one_way_is_open_at_a_time_and_its_snippet_is_copied(page):  # noqa: F811
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    go(page, "connect/")

    page.locator("#otel > summary").press("Enter")

    assert page.locator("details.way[open]").evaluate_all("ways => ways.map(way => way.id)") == ["otel"]
    page.locator('[data-copy="otel-1"]').click()
    expect(page.locator('[data-copy="otel-1"]')).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#otel-1").text_content()


def test_second_line_of_the_timeline_is_drawn_and_switched_off(page, filled):  # noqa: F811
    go(page, f"conversations/{filled['conversation']}/")
    lines = page.locator(".figure .scatterlayer .trace path.js-line")

    assert lines.count() == 2
    page.locator(".legendtoggle").nth(1).click()
    expect(lines).to_have_count(1)
