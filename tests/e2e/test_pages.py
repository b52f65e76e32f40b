"""What every page must be like, in a real browser."""

import pytest

from tests.e2e.browsing import filled, go, page, unusable  # noqa: F401 -- fixtures

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
    "alerts/rules/{rule}/runs/",
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
    "settings/sign-in/",
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


def test_pages_are_usable_by_everybody(page, urls):  # noqa: F811
    page.emulate_media(reduced_motion="reduce")
    found = []
    for url in urls:
        go(page, url)
        found += [f"{url} {problem}" for problem in unusable(page)]

    assert found == []


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
