"""Rows for the browser's tests, and a page that fails the test on whatever the browser complains of."""

from datetime import time

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe

from conversations.alerts.incidents import record_signals
from conversations.alerts.signals import Evidence
from conversations.spending.counting import Grown, count_grown
from tests.alerts.telling import AT, create_channel, create_rule, create_silence, signal
from tests.audit.ledger_rows import create_check, create_entry
from tests.factories import (
    create_api_key,
    create_batch,
    create_compaction,
    create_conversation,
    create_message,
    create_request,
)
from tests.review.rows import create_comment, create_item, create_queue
from tests.spending.rows import create_budget, create_price
from tests.web.audited import create_addition, create_audit, create_finding, create_life_line

WIDTHS = (390, 1280, 1440)
MOST_ELEMENTS = 3000
#: Its script, read once.
AXE = Axe().axe_script


class Complaints(list):
    """What the browser had to say against a page: errors, violations of its policy, requests to other places."""

    def watch(self, page, server):
        page.on("pageerror", lambda error: self.append(f"error: {error}"))
        page.on("console", self._console)
        page.on("request", lambda request: self._request(request, server))

    def _console(self, message):
        # That a page is missing is what the test of the missing page asks for.
        if message.type in {"error", "warning"} and "404 (Not Found)" not in message.text:
            self.append(f"{message.type}: {message.text}")

    def _request(self, request, server):
        if not request.url.startswith((server, "data:", "blob:")):
            self.append(f"request: {request.url}")


@pytest.fixture
def page(context, live_server, as_member, alice):
    """Alice's. Fails the test on anything the browser complains of."""
    as_member(alice)
    opened, complaints = context.new_page(), Complaints()
    complaints.watch(opened, live_server.url)
    opened.complaints = complaints  # a test that breaks something takes its own away
    yield opened
    assert complaints == []


@pytest.fixture
def filled(acme, live_server):
    """A compacted conversation and what else pages show; ids by name."""
    conversation = create_conversation(acme, agent="coder", title="Migrate billing", external_id="c1", source="codex")
    create_conversation(acme, agent="support", title="Refund order")
    dropped = [create_message(conversation, f"The port is {8440 + n}. " * 20) for n in range(12)]
    call = {"type": "tool_call", "id": "t", "name": "Bash", "input": {"command": "make test"}}
    result = {"type": "tool_result", "id": "t", "text": "ok\n" * 50}
    dropped.append(create_message(conversation, role="assistant", blocks=[call]))
    dropped.append(create_message(conversation, role="tool", blocks=[result]))
    for tokens in range(20_000, 160_000, 20_000):
        create_request(conversation, tokens, cache_read_tokens=tokens // 2)
    summary = "# Goal\n\nMigrate **billing**; the port is 8443.\n\n1. `make test`\n" + "More words. " * 400
    compaction = create_compaction(conversation, summary, dropped=dropped, tokens_before_observed=140_100)
    audit(compaction, dropped)
    create_request(conversation, 25_000)
    create_message(conversation, "Put back", origin="restored")
    later = create_message(conversation, "Go on with the port.")
    opaque = create_compaction(conversation, None, dropped=[later], kind="hosted_opaque", summary_state="encrypted")
    create_message(conversation, "And on.")
    found = {"conversations": ["c1"], "messages": 33, "requests": 8, "compactions": 2}
    batch = create_batch(acme, name="session.jsonl", format="codex", found=found, problems=[{"raw": "{"}])
    create_api_key(acme)
    conversation.sparkline = {"stride": 1, "count": 8, "points": [[20_000, 20_000], [140_000, 140_000]], "marks": [1]}
    conversation.save(update_fields=["sparkline"])
    count_grown([Grown(acme.pk, conversation.pk, conversation.agent_id, earliest=0)])
    budget = create_budget(acme, scope="conversation", limit=500_000)
    create_price(acme)
    rows = {
        "budget": budget,
        **told_of(acme, compaction),
        **reviewed(acme, compaction),
        "conversation": conversation,
        "compaction": compaction,
        "opaque": opaque,
        "message": dropped[0],
        "batch": batch,
    }
    return {name: row.pk for name, row in rows.items()}


def told_of(workspace, compaction):
    """A rule that fired, its incident, a channel that failed, and a silence."""
    channel = create_channel(workspace, name="#agents", last_failure_at=AT, last_failure="It answered 500.")
    rule = create_rule(workspace, [channel], name="Forgets what it must not do", note="Stop the agent.")
    evidence = (Evidence("compaction", compaction.pk, "compaction 1 of Migrate billing"),)
    fired = signal("coder", value=7.0, threshold=5.0, evidence=evidence)
    (incident,) = record_signals(workspace=workspace, rule=rule, signals=[fired], at=AT)
    create_silence(workspace, rule=rule, weekdays=[0], from_time=time(22), to_time=time(6))
    return {"rule": rule, "incident": incident, "channel": channel}


def reviewed(workspace, compaction):
    """A queue with the compaction in it, a comment on it, and an entry of the ledger that it forgot."""
    queue = create_queue(workspace)
    create_item(queue, compaction)
    create_comment(compaction)
    entry = create_entry(workspace)
    create_check(entry, compaction)
    return {"queue": queue, "entry": entry}


def audit(compaction, dropped):
    """Facts of every look: harmful, kept, altered, added; and a life-line."""
    sign = {"signal": "user_repeats", "text": "Said again.", "messages": [dropped[1].external_id], "base_rate": 0.0}
    parts = {"importance": {"kind": 0.75}, "rank": {"by user": 0.3}}
    create_finding(compaction, 1, said=dropped[0], near="make test", evidence=[sign], parts=parts)
    create_finding(compaction, 2, said=dropped[9], near="the port is 8443", outcome="kept")
    create_finding(compaction, 3, said=dropped[2], near="Migrate", outcome="altered")
    create_addition(compaction, "More words.")
    create_audit(compaction, risk=2.5)
    create_life_line(compaction.conversation, ["forgotten"], stages=[
        {"number": 1, "outcome": "forgotten", "fact": "fact-1", "harmful": True},
        {"number": 2, "outcome": "kept", "fact": "", "came_back": "user said it again", "followed": True},
    ])  # fmt: skip


def go(page, url):
    """Open a page of acme and wait until its figure, if any, is drawn."""
    page.goto(f"/w/acme/{url}")
    drawn(page)


def drawn(page):
    for figure in page.locator("[data-figure]").all():
        page.wait_for_function("figure => figure.dataset.drawn === 'true'", arg=figure.element_handle())


def unusable(opened):
    """What is wrong with a page: its size, every width, what axe finds by light, and its colours by dark. All in one
    visit, as opening it is what takes the time."""
    return [*_too_large(opened), *_too_wide(opened), *_inaccessible(opened)]


def _too_large(opened):
    elements = opened.evaluate("document.querySelectorAll('*').length")
    return [f"has {elements} elements"] if elements > MOST_ELEMENTS else []


def _too_wide(opened):
    """Where it would scroll sideways, at every width. Leaves the last one."""
    for width in WIDTHS:
        opened.set_viewport_size({"width": width, "height": 900})
        if (needed := opened.evaluate("document.documentElement.scrollWidth")) > width:
            yield f"needs {needed} px of {width}"


def _inaccessible(opened):
    """What axe finds, everything inside folds too; by dark only colours can differ."""
    opened.evaluate(
        "document.querySelectorAll('main details, #review-bar details').forEach(fold => { fold.open = true })"
    )
    opened.evaluate(AXE)
    for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        opened.emulate_media(color_scheme=scheme)
        results = AxeResults(opened.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **rules}))
        if results.violations_count:
            yield f"by {scheme}: {results.generate_report()}"
