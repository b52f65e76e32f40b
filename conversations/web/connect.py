"""Connect an agent: a snippet for each way in, with this server's address and a new key, and a look-out for the first
event."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from conversations.ingest.queries import batch_conversations
from conversations.models import Batch, Conversation, Workspace
from conversations.ops.recorder_wheel import FILE
from conversations.people.keys import make_key as new_key
from conversations.vocabulary import BatchState, MemberRole, Scope
from conversations.web.addresses import site_address
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.paging import is_key

PLACEHOLDER = "obs_YOUR_KEY"
#: Seconds until the page asks again; the last one holds until it has asked so often that nobody is waiting any more.
_PAUSES = (2, 2, 3, 5, 8, 13, 20, 30)
_MOST_ASKED = 60  # about half an hour


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece to copy. `file` is its template; what it is for is said above it."""

    file: str
    label: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way in."""

    key: str
    title: str
    lede: str
    snippets: tuple[Snippet, ...]


_INSTALL = Snippet("install.sh", "Install it where the agent runs")
WAYS = (
    Way(
        "recorder",
        "Recorder around the client",
        "One line around the client of anthropic or openai, sync or async, streaming or not. It never blocks or breaks"
        " your agent.",
        (_INSTALL, Snippet("recorder.py", "Wrap the client")),
    ),
    Way(
        "agent",
        "Long-running agent with a budget",
        "A loop that compacts, pauses for your callback, and heeds the budgets of this workspace: it is warned, wraps"
        " up with your message, and stops.",
        (_INSTALL, Snippet("agent.py", "Run it")),
    ),
    Way(
        "claude_code",
        "Claude Code",
        "A hook that sends each session's new part whenever it is compacted, stops or ends.",
        (Snippet("claude_code_hook.sh", "Install the hook"),),
    ),
    Way("codex", "Codex", "The same for Codex.", (Snippet("codex_hook.sh", "Install the hook"),)),
    Way(
        "otel",
        "OpenTelemetry",
        "Traces and logs of any instrumentation that follows the GenAI conventions, OpenInference or OpenLLMetry.",
        (
            Snippet("otel.sh", "For any agent that is instrumented"),
            Snippet("otel_claude_code.sh", "For Claude Code, without a hook: figures, and no words"),
        ),
    ),
    Way(
        "litellm",
        "LiteLLM and LangChain",
        "A callback for each; LangGraph's thread and LiteLLM's session are the conversation.",
        (_INSTALL, Snippet("litellm.py", "LiteLLM"), Snippet("langchain.py", "LangChain and LangGraph")),
    ),
    Way(
        "exchanges",
        "Raw exchanges",
        "Requests and responses just as they went over the wire, whatever the agent is written in. History that is sent"
        " again is stored once, and compactions are recognised.",
        (Snippet("exchanges.sh", "Send one"),),
    ),
    Way(
        "events",
        "Events of your own",
        "Messages, requests and compactions as they happen, in a format of ours.",
        (Snippet("events.sh", "Send some"),),
    ),
    Way(
        "transcripts",
        "Transcripts that are there already",
        "Session files of Claude Code and Codex; a file that grew is sent again, and only what is new is read.",
        (
            Snippet("transcript.sh", "Send a file"),
            Snippet("transcripts_here.sh", "Or read all of this machine, where the server runs"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A snippet with everything filled in."""

    id: str
    label: str
    text: str


@member_required
@require_GET
def connect(request: WorkspaceRequest) -> HttpResponse:
    """Every way in, with a placeholder where the key belongs."""
    return render_page(request, "connect/page.html", _context(request, PLACEHOLDER))


@member_required
@require_GET
def settings_home(request: WorkspaceRequest) -> HttpResponse:
    """The settings begin with how an agent is connected."""
    return redirect("connect", request.workspace.slug)


@never_cache
@member_required
@role_required(MemberRole.ADMIN)
@require_POST
def make_key(request: WorkspaceRequest) -> HttpResponse:
    """The same with a new key in every snippet: it stands on the answer to its own POST and nowhere else."""
    _, key = new_key(request.membership, name="connect", scopes=[Scope.INGEST])
    return render_page(request, "connect/page.html", _context(request, key) | {"key": key})


def _context(request: WorkspaceRequest, key: str) -> dict[str, Any]:
    return {
        "ways": [(way, _shown(way, values_of(request, key))) for way in WAYS],
        "look_out": _look_out(request.workspace, _last_batch(request.workspace), 0),
    }


def values_of(request: WorkspaceRequest, key: str) -> dict[str, str]:
    """What snippets are filled with."""
    url = site_address(request)
    wheel = f"{url}{reverse('recorder_wheel', args=[FILE])}"
    return {"url": url, "key": key, "wheel": wheel, "slug": request.workspace.slug}


def _shown(way: Way, values: dict[str, str]) -> list[Shown]:
    return [
        Shown(f"{way.key}-{number}", snippet.label, filled(snippet, values))
        for number, snippet in enumerate(way.snippets, 1)
    ]


def filled(snippet: Snippet, values: dict[str, str]) -> str:
    """The snippet's text, not yet escaped for HTML."""
    return render_to_string(f"connect/snippets/{snippet.file}", values).strip()


# --- the look-out -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LookOut:
    """Whether something came since the page was opened. `pause`: seconds until it is asked again, 0 = not by itself."""

    since: int
    asked: int
    pause: int
    batch: Batch | None = None
    conversation: Conversation | None = None


@member_required
@require_GET
def waiting(request: WorkspaceRequest) -> HttpResponse:
    """What came after `?since=` (a batch), asked for the `?asked=`th time."""
    since, asked = request.GET.get("since", ""), request.GET.get("asked", "")
    look_out = _look_out(
        request.workspace, int(since) if is_key(since) else 0, int(asked) if is_key(asked) else _MOST_ASKED
    )
    return render_page(request, "connect/waiting.html", {"look_out": look_out})


def _last_batch(workspace: Workspace) -> int:
    return Batch.objects.filter(workspace=workspace).order_by("-id").values_list("pk", flat=True).first() or 0


def _look_out(workspace: Workspace, since: int, asked: int) -> LookOut:
    batch = Batch.objects.filter(workspace=workspace, pk__gt=since).defer("checkpoint").order_by("id").first()
    found = batch_conversations(batch) if batch and batch.state == BatchState.DIGESTED else []
    if batch and batch.state != BatchState.PENDING:
        return LookOut(since, asked, 0, batch, found[0] if found else None)
    pause = _PAUSES[min(asked, len(_PAUSES) - 1)] if asked < _MOST_ASKED else 0
    return LookOut(since, asked + 1, pause, batch)
