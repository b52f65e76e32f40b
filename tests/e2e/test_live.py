"""What moves without a click: parts of a page that ask again, and the figure that is zoomed."""

import re

from playwright.sync_api import expect

from tests.e2e.browsing import filled, go, page  # noqa: F401 -- fixtures
from tests.factories import create_conversation


def test_overview_shows_what_came_in_meanwhile(page, filled, acme):  # noqa: F811
    page.clock.install()
    go(page, "")
    create_conversation(acme, title="Just arrived")
    expect(page.get_by_text("Just arrived")).to_have_count(0)

    page.clock.run_for(11_000)

    expect(page.get_by_role("link", name="Just arrived")).to_be_visible()


def test_tab_in_the_background_does_not_ask_again(page, filled):  # noqa: F811
    page.clock.install()
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => window.isHidden === true })")
    go(page, "")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("window.isHidden = true")
    page.clock.run_for(25_000)
    assert asked == []
    page.evaluate("window.isHidden = false")

    with page.expect_request("**/w/acme/"):
        page.clock.run_for(11_000)


def test_zooming_the_figure_asks_for_the_range_and_a_double_click_for_all(page, filled):  # noqa: F811
    go(page, f"conversations/{filled['conversation']}/")
    plot = page.locator(".figure .nsewdrag").bounding_box()
    middle = plot["y"] + plot["height"] / 2

    with page.expect_request(re.compile(r"from=.+&to=.+")) as asked:
        page.mouse.move(plot["x"] + plot["width"] * 0.3, middle)
        page.mouse.down()
        page.mouse.move(plot["x"] + plot["width"] * 0.7, middle, steps=5)
        page.mouse.up()
    assert asked.value.response().ok

    with page.expect_request(lambda request: "figure" in request.url and "from=" not in request.url) as asked:
        page.mouse.dblclick(plot["x"] + plot["width"] / 2, middle)
    assert asked.value.response().ok
