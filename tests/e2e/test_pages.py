"""What every page must be like, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.e2e.browsing import filled, go, page  # noqa: F401 -- fixtures

# URLs below the workspace; names in braces are rows of the filled one
EMPTY = [
    "",
    "conversations/",
    "conversations/?q=nothing",
    "compactions/",
    "savings/",
    "savings/?days=",
    "budgets/",
    "alerts/",
    "notices/",
    "discussion/",
    "connect/",
    "import/",
    "settings/api-keys/",
    "settings/prices/",
    "settings/redaction/",
    "settings/retention/",
    "settings/deletions/",
    "review/",
    "review/new/",
    "review/digest/",
    "review/agreement/",
    "review/auditor/",
    "ledger/",
    "nothing/",
]
FILLED = [
    "",
    "conversations/",
    "conversations/{conversation}/",
    "conversations/{conversation}/?show=cache&by=time",
    "compactions/",
    "compactions/{compaction}/",
    "compactions/{compaction}/?q=port",
    "compactions/{compaction}/?fact=1",
    "compactions/{compaction}/?review=1&fact=1",
    "compactions/{compaction}/facts/1/",
    "conversations/{conversation}/facts/",
    "compactions/?order=newest",
    "compactions/{opaque}/",
    "messages/{message}/",
    "import/",
    "batches/{batch}/",
    "conversations/{conversation}/savings/",
    "savings/?days=",
    "budgets/",
    "budgets/new/",
    "budgets/{budget}/",
    "alerts/",
    "alerts/incidents/{incident}/",
    "alerts/rules/{rule}/",
    "alerts/rules/new/?start=spiral",
    "alerts/rules/import/",
    "alerts/silences/",
    "notices/",
    "discussion/",
    "settings/channels/",
    "settings/channels/{channel}/",
    "connect/",
    "settings/api-keys/",
    "settings/members/",
    "settings/activity/",
    "settings/prices/",
    "settings/redaction/",
    "settings/retention/",
    "settings/deletions/",
    "settings/deletions/workspace/",
    "settings/workspace/",
    "review/",
    "review/{queue}/",
    "review/{queue}/edit/",
    "review/digest/",
    "review/agreement/",
    "review/auditor/",
    "ledger/",
    "ledger/new/",
    "ledger/{entry}/",
    "ledger/{entry}/edit/",
    "conversations/{conversation}/tags/",
    "conversations/{conversation}/delete/",
]


@pytest.fixture(params=["empty", "filled"])
def urls(request):
    if request.param == "empty":
        return EMPTY
    rows = request.getfixturevalue("filled")
    return [url.format(**rows) for url in FILLED]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, urls, scheme):  # noqa: F811
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    for url in urls:
        go(page, url)
        # everything inside folds, too
        page.evaluate("document.querySelectorAll('main details').forEach(fold => { fold.open = true })")
        results = Axe().run(page)
        assert results.violations_count == 0, f"{url}\n{results.generate_report()}"


@pytest.mark.parametrize("width", [390, 1440])
def test_pages_need_no_sideways_scrolling(page, urls, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})

    for url in urls:
        go(page, url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, url


def test_pages_are_small(page, urls):  # noqa: F811
    for url in urls:
        go(page, url)
        assert page.evaluate("document.querySelectorAll('*').length") <= 3000, url


def test_pages_work_without_javascript(chromium, live_server, alice, filled):  # noqa: F811
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": alice.cookies["sessionid"].value, "url": live_server.url}])
    opened = context.new_page()

    opened.goto(f"/w/acme/conversations/{filled['conversation']}/")
    assert opened.locator(".figure svg.preview").is_visible()
    opened.goto("/w/acme/conversations/")
    opened.get_by_label("Agent", exact=True).select_option("coder")
    opened.get_by_role("button", name="Filter").click()
    assert opened.locator("td.title a").all_inner_texts() == ["Migrate billing"]
    context.close()
