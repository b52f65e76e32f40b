"""Read a conversation written as a script and make the events of it: ids stable, times relative to a moment given.

A script is a head of `name: value` lines, a line `---`, and parts. A part begins with `== kind option=value …`:

    == user +4m                   what a person says, four minutes later than usual
    == thinking | assistant       what the model thinks and says
    == call Bash command          a tool call; the body is the named parameter, or without a name all of them as JSON
    == result tokens=1800 error   what the tool answered, in the order of the calls; the model read 1,800 tokens of it
    == message role=system origin=harness
    == compaction kind=client trigger=auto kept=users
    == instructions | summary     of the compaction before it

Thinking, text and calls that follow each other are one message and one model call.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from conversations.ingest.events import (
    Block,
    CompactionEvent,
    ConversationEvent,
    Event,
    MessageEvent,
    RequestEvent,
    Summary,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from conversations.vocabulary import CLEARING_KINDS, CompactionKind, Origin, Role, SummaryState, Trigger

_PART = re.compile(r"^== (.*)$", re.MULTILINE)
_PAUSE = re.compile(r"\+(\d+)([smh])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_CHARACTERS_A_TOKEN = 3.7
_TOKENS_A_SECOND = 62  # of a model that writes
_CLEARED_TOKENS = 12  # of the placeholder that stands for a cleared result
_SPOKEN_BY_MODEL = ("thinking", "assistant", "call")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a script: its kind, the words and options behind it, and what stands below."""

    kind: str
    words: tuple[str, ...]
    options: dict[str, str]
    body: str

    @property
    def pause(self) -> int | None:
        """Seconds that passed before it, where the script says so."""
        found = next(filter(None, map(_PAUSE.match, self.words)), None)
        return int(found[1]) * _SECONDS[found[2]] if found else None


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation as written. `head`: title, agent, version, model, window, base, begins (hours ago) and more."""

    name: str
    head: dict[str, str]
    parts: list[Part]


def read_script(name: str, text: str) -> Script:
    """Take a script apart."""
    head, _, rest = text.partition("\n---\n")
    pieces = _PART.split(rest)[1:]
    parts = [_part(title, body) for title, body in zip(pieces[::2], pieces[1::2], strict=True)]
    return Script(name, dict(line.split(": ", 1) for line in head.strip().splitlines()), parts)


def _part(title: str, body: str) -> Part:
    kind, *words = title.split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    return Part(kind, tuple(word for word in words if "=" not in word), options, body.strip("\n"))


def events_of(script: Script, now: datetime) -> list[Event]:
    """The events in order; the conversation begins `begins` hours before `now`."""
    begins = now - timedelta(hours=float(script.head["begins"]))
    play = _Play(script, begins)
    for group in _groups(script.parts):
        play.perform(group)
    return [_conversation(script, begins), *play.events]


def _conversation(script: Script, begins: datetime) -> ConversationEvent:
    head = script.head
    options: dict[str, Any] = {name: head[name] for name in ("parent", "cwd") if name in head}
    if "incomplete" in head:
        options["incomplete_reason"] = head["incomplete"]
    return ConversationEvent(
        conversation=script.name,
        at=begins,
        title=head["title"],
        agent=head["agent"],
        agent_version=head["version"],
        context_window=int(head["window"]),
        complete="incomplete" not in head,
        **options,
    )


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """What belongs to one message, or to one compaction."""
    group: list[Part] = []
    for part in parts:
        joins = part.kind in ("instructions", "summary") or (
            part.kind in _SPOKEN_BY_MODEL and group and group[-1].kind in _SPOKEN_BY_MODEL
        )
        if group and not joins:
            yield group
            group = []
        group.append(part)
    yield group


@dataclass(slots=True)
class _Said:
    """A message that stands in the context: what it weighs in tokens, and whose result it is."""

    id: str
    role: Role
    tokens: int
    call: str = ""


@dataclass(slots=True)
class _Play:
    """Performs the groups one after the other and writes down the events."""

    script: Script
    clock: datetime
    events: list[Event] = field(default_factory=list)
    context: list[_Said] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  # not answered yet
    numbers: dict[str, int] = field(default_factory=dict)
    cached: int = 0  # tokens the last call left in the cache
    sequence: int = 0

    # --- what all events share ---

    def number(self, prefix: str) -> str:
        self.numbers[prefix] = self.numbers.get(prefix, 0) + 1
        return f"{prefix}{self.numbers[prefix]:03}"

    def place(self, prefix: str) -> dict[str, Any]:
        """The next id and place."""
        self.sequence += 10
        name = self.script.name
        return {"id": self.number(prefix), "conversation": name, "at": self.clock, "sequence": self.sequence}

    def weight(self) -> int:
        """Tokens of the context as it stands: system prompt, tool definitions and messages."""
        return int(self.script.head["base"]) + sum(said.tokens for said in self.context)

    def perform(self, group: Sequence[Part]) -> None:
        first = group[0]
        if first.kind == "compaction":
            self.compact(group)
        elif first.kind in _SPOKEN_BY_MODEL:
            self.speak(group)
        elif first.kind == "result":
            self.answer(first)
        else:
            self.tell(first)

    def wait(self, part: Part, usual: float) -> None:
        """Let time pass: as long as the script says, else about as long as usual, the same at every performance."""
        digest = blake2b(f"{self.script.name} {self.sequence}".encode(), digest_size=2).digest()
        share = 0.5 + int.from_bytes(digest, "big") / 0xFFFF
        self.clock += timedelta(seconds=usual * share if part.pause is None else part.pause)

    # --- messages ---

    def tell(self, part: Part) -> None:
        """What comes from outside: a person, or the harness."""
        role = Role(part.options.get("role", part.kind if part.kind in list(Role) else "user"))
        origin = Origin(part.options.get("origin", "spoken"))
        self.wait(part, 90 if origin == Origin.SPOKEN else 1)
        block = Summary(text=part.body) if origin == Origin.SUMMARY else Text(text=part.body)
        self.add(role, [block], tokens=_tokens(part.body), origin=origin)

    def speak(self, group: Sequence[Part]) -> None:
        """One model call and the message it wrote."""
        blocks = [self.block(part) for part in group]
        written = sum(_tokens(part.body) + 8 for part in group)
        reads = self.weight()
        self.wait(group[0], 2 + written / _TOKENS_A_SECOND)
        calls = any(part.kind == "call" for part in group)
        fresh = min(reads, 3 + reads % 7)
        cached = min(self.cached, reads - fresh)
        usage = Usage(
            input_tokens=fresh,
            cache_read_tokens=cached,
            cache_write_tokens=reads - fresh - cached,
            output_tokens=written,
        )
        self.events.append(
            RequestEvent(
                **self.place("r"),
                model=self.script.head["model"],
                usage=usage,
                stop_reason="tool_use" if calls else "end_turn",
                duration_ms=1400 + written * 1000 // _TOKENS_A_SECOND,
            )
        )
        self.cached = reads
        self.add(Role.ASSISTANT, blocks, tokens=written)

    def block(self, part: Part) -> Block:
        if part.kind == "thinking":
            return Thinking(text=part.body)
        if part.kind == "assistant":
            return Text(text=part.body)
        call = self.number("call_")
        self.calls.append(call)
        tool, *parameter = part.words
        arguments = {parameter[0]: part.body} if parameter else json.loads(part.body)
        return ToolCall(name=tool, id=call, input=arguments)

    def answer(self, part: Part) -> None:
        """What a tool answered; the log may hold less of it than the model read."""
        call = self.calls.pop(0)
        self.wait(part, 6)
        tokens = int(part.options.get("tokens", _tokens(part.body)))
        result = ToolResult(text=part.body, id=call, is_error="error" in part.words)
        self.add(Role.TOOL, [result], tokens=tokens, call=call)

    def add(
        self, role: Role, blocks: list[Block], *, tokens: int, origin: Origin = Origin.SPOKEN, call: str = ""
    ) -> None:
        event = MessageEvent(**self.place("m"), role=role, content=blocks, origin=origin)
        self.events.append(event)
        self.context.append(_Said(event.id, role, tokens, call))

    # --- compactions ---

    def compact(self, group: Sequence[Part]) -> None:
        head, below = group[0], {part.kind: part.body for part in group[1:]}
        options, summary = head.options, below.get("summary")
        kind = CompactionKind(options["kind"])
        state = SummaryState(options.get("state", "text" if summary else "absent"))
        before = self.weight()
        self.wait(head, 3 + _tokens(summary or "") / _TOKENS_A_SECOND)
        kept = self.kept(options)
        cleared = self.cleared(options) if kind in CLEARING_KINDS else []
        self.forget(kind, state, kept, cleared, _tokens(summary or "") or int(options.get("summary_tokens", 0)))
        self.events.append(
            CompactionEvent(
                **self.place("c"),
                kind=kind,
                trigger=Trigger(options.get("trigger", "unknown")),
                instructions=below.get("instructions", ""),
                summary=summary,
                summary_state=state,
                kept=kept,
                cleared=cleared,
                tokens_before=before if options.get("reported") != "no" else None,
                tokens_after=int(options["after"]) if "after" in options else None,
                trigger_tokens=int(options["threshold"]) if "threshold" in options else None,
                cost=self.cost(before, summary, options),
                model=self.script.head["model"] if summary else "",
                duration_ms=4200 + _tokens(summary) * 1000 // _TOKENS_A_SECOND if summary else None,
                error=options.get("error", "").replace("_", " "),
            )
        )

    def kept(self, options: dict[str, str]) -> list[str]:
        """`kept=users` or `kept=last:10`: the ids that stay word for word."""
        rule, _, count = options.get("kept", "").partition(":")
        if rule == "users":
            return [said.id for said in self.context if said.role == Role.USER]
        return [said.id for said in self.context[-int(count) :]] if rule == "last" else []

    def cleared(self, options: dict[str, str]) -> list[str]:
        """All but the last results that still stand."""
        standing = [said.call for said in self.context if said.call]
        return standing[: -int(options["but"])]

    def forget(
        self, kind: CompactionKind, state: SummaryState, kept: list[str], cleared: list[str], summary_tokens: int
    ) -> None:
        """What the context is afterwards."""
        if state == SummaryState.FAILED:
            return
        self.cached = 0 if kind in CLEARING_KINDS else min(self.cached, int(self.script.head["base"]))
        if kind in CLEARING_KINDS:
            for said in self.context:
                if said.call in cleared:
                    said.tokens, said.call = min(said.tokens, _CLEARED_TOKENS), ""
            return
        stays = [said for said in self.context if said.id in kept]
        self.context = [_Said("", Role.USER, summary_tokens), *stays] if summary_tokens else stays

    def cost(self, before: int, summary: str | None, options: dict[str, str]) -> Usage:
        """The summarising call reads the whole context, mostly from the cache."""
        if not summary or options.get("cost") == "unknown":
            return Usage()
        fresh = before // 40
        return Usage(
            input_tokens=fresh,
            cache_read_tokens=before - fresh,
            cache_write_tokens=0,
            output_tokens=_tokens(summary),
        )


def _tokens(text: str) -> int:
    return round(len(text) / _CHARACTERS_A_TOKEN)
