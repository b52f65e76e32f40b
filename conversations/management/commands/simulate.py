"""Run the support desk's workflow with and without compaction, record both runs, and print the difference."""

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import anthropic
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from conversations import tasks
from conversations.alerts import budget_watch
from conversations.ingest import services
from conversations.management.commands.create_api_key import find_workspace
from conversations.models import Budget, Conversation, Workspace
from conversations.ops.simulation.budgeted import run_budgeted
from conversations.ops.simulation.comparing import Comparison, compare, table
from conversations.ops.simulation.receiving import receive_into
from conversations.ops.simulation.requests import LEAST_TRIGGER
from conversations.ops.simulation.running import AGENT, Destination, Workflow
from conversations.recorder import flush
from conversations.spending.budget_events import happened_in
from conversations.vocabulary import BudgetAction, BudgetMetric, BudgetScope

_MOST_TICKETS = 300
_LEAST = 2_000  # tokens of trigger; the task and the tools alone take more than half of that
_DELIVERY_SECONDS = 60.0


class Command(BaseCommand):
    """`manage.py simulate`, `manage.py simulate --tickets 40 --trigger 50000`."""

    help = "Run a support desk's tickets with and without compaction against a local Messages API; record and compare."

    def add_arguments(self, parser: CommandParser) -> None:
        """What is run, and where it is recorded."""
        parser.add_argument("--tickets", type=int, default=5, help="7 model calls each (default: %(default)s)")
        least = f"input tokens at which the API compacts; the real one takes {LEAST_TRIGGER:,} and more"
        parser.add_argument("--trigger", type=int, default=5_000, help=f"{least} (default: %(default)s)")
        parser.add_argument("--pause", action="store_true", help="pause after each compaction")
        parser.add_argument("--instructions", default="", metavar="TEXT", help="instead of the API's own for summaries")
        parser.add_argument("--stream", action="store_true", help="stream the answers")
        parser.add_argument("--cache", action="store_true", help="mark the messages for the prompt cache")
        words = "instead of comparing, run once under a budget of so many tokens: a warning, a polite end"
        parser.add_argument("--budget", type=int, metavar="TOKENS", help=words)
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there is more than one")
        parser.add_argument("--url", help="a running server to record to, instead of the configured database")
        parser.add_argument("--key", help="an API key of that server with the scope ingest")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the table, and where the pages are."""
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # the client's HTTP library tells of every request
        workflow = _workflow(options)
        if bool(options["url"]) != bool(options["key"]):
            raise CommandError("--url and --key go together.")
        workspace = None if options["url"] else find_workspace(options["workspace"])
        name = f"{AGENT}-{timezone.now():%Y%m%d-%H%M%S}"
        if options["budget"] is not None:
            self._under_budget(workspace, workflow, name, options)
            return
        with _destination(workspace, options) as destination:
            try:
                comparison = compare(workflow, name, destination)
            except anthropic.APIError as error:
                raise CommandError(f"The simulated API refused: {error}") from error
            if not flush(_DELIVERY_SECONDS):
                raise CommandError(f"Not everything recorded was delivered to {destination.url}.")
        for line in table(comparison):
            self.stdout.write(line)
        for line in _pages(workspace, comparison, options["url"] or settings.PUBLIC_URL or "http://localhost:8000"):
            self.stdout.write(line)

    def _under_budget(
        self, workspace: Workspace | None, workflow: Workflow, name: str, options: dict[str, Any]
    ) -> None:
        if workspace is None or options["budget"] < _LEAST:
            raise CommandError(f"--budget wants at least {_LEAST:,} tokens, and goes without --url.")
        budget = _make_budget(workspace, name, options["budget"])
        with receive_into(workspace) as destination:
            run = run_budgeted(workflow, name, destination, partial(_settle, workspace))
        self.stdout.write(f"{run.calls} calls, {run.total_tokens:,} tokens, {len(run.compactions)} compactions")
        self.stdout.write(f"it ended with: {run.stopped}. {run.text}")
        conversation = Conversation.objects.get(workspace=workspace, external_id=name)
        for each in happened_in(conversation):
            share = f" at {each.event.percent} %" if each.event.percent else ""
            self.stdout.write(f"{each.event.kind}{share}: {each.requests} requests, {each.tokens:,} tokens after it")
        url = (settings.PUBLIC_URL or "http://localhost:8000").rstrip("/")
        for page, pk in (("conversation", conversation.pk), ("budget", budget.pk)):
            self.stdout.write(url + reverse(page, args=[workspace.slug, pk]))


def _make_budget(workspace: Workspace, conversation: str, tokens: int) -> Budget:
    """Of that conversation alone; it stays, to be looked at."""
    return Budget.objects.create(
        workspace=workspace,
        name=f"Run {conversation}"[:120],
        scope=BudgetScope.CONVERSATION,
        conversation_name=conversation,
        metric=BudgetMetric.TOTAL_TOKENS,
        limit=tokens,
        action=BudgetAction.WRAP_UP,
        message="{used} of {limit} tokens are used. Please wrap up your current work and summarize the final state.",
    )


def _settle(workspace: Workspace) -> None:
    """As a running server does within some seconds: take in what was recorded, count it, and see to the budgets."""
    if not flush(_DELIVERY_SECONDS):
        raise CommandError("Not everything recorded was delivered.")
    digested = services.digest_pending()
    if digested.conversation_ids:
        budget_watch.watch_conversations(workspace.pk, digested.conversation_ids, timezone.now())


def _workflow(options: dict[str, Any]) -> Workflow:
    if not 1 <= options["tickets"] <= _MOST_TICKETS:
        raise CommandError(f"--tickets wants 1 to {_MOST_TICKETS}.")
    if options["trigger"] < _LEAST:
        raise CommandError(f"--trigger wants at least {_LEAST:,}: less than that a summary would not help.")
    return Workflow(
        tickets=options["tickets"],
        trigger=options["trigger"],
        pause=options["pause"],
        instructions=options["instructions"],
        streamed=options["stream"],
        cached=options["cache"],
        least_trigger=_LEAST,
    )


def _destination(workspace: Workspace | None, options: dict[str, Any]) -> AbstractContextManager[Destination]:
    if workspace is None:
        return nullcontext(Destination(options["url"].rstrip("/"), options["key"]))
    return receive_into(workspace)


def _pages(workspace: Workspace | None, comparison: Comparison, url: str) -> list[str]:
    """In the configured database the rows are made at once; a running server makes its own."""
    url = url.rstrip("/")
    if workspace is None:
        return ["", f"Recorded as {' and '.join(comparison.conversations)}: {url}/"]
    tasks.follow(services.digest_pending())
    found = Conversation.objects.filter(workspace=workspace, external_id__in=comparison.conversations)
    keys = dict(found.values_list("external_id", "pk"))
    names = [name for name in comparison.conversations if name in keys]  # a running digester may not be done yet
    pages = [url + reverse("conversation", args=[workspace.slug, keys[name]]) for name in names]
    pages = pages or [url + reverse("conversations", args=[workspace.slug])]
    savings = url + reverse("savings", args=[workspace.slug])
    return ["", "The conversations, without and with compaction:", *pages, "What compaction saved:", savings]
