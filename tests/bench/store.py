"""A store as a busy team would have it: 100,000 conversations, and two of 20,000 records; for `tests.bench.pages`."""

import time

import msgspec
from django.db import connection

from conversations.ingest import services
from conversations.models import Agent, Conversation, Message

LONG = 2750  # characters a message: 20,000 records of it are 55 MB
BRIEF = 400
AT_ONCE = 2000  # events a batch
KEPT = 40  # messages that stand verbatim beside each summary
SPARKLINE = (
    '{"stride": 1, "count": 64, "points": ['
    + ", ".join(f"[{12000 + 2400 * (n % 32)}, {14000 + 2400 * (n % 32)}]" for n in range(64))
    + '], "marks": [32]}'
)


def fill(workspace, conversations, records):
    """The conversations; then one with few compactions and long messages, and one with 200 compactions."""
    began = time.perf_counter()
    fill_many(workspace, conversations)
    print(f"{conversations:,} conversations in {time.perf_counter() - began:.0f} s", flush=True)
    for name, size, every in (("long", LONG, records // 5), ("generations", BRIEF, records // 200)):
        began = time.perf_counter()
        stored = fill_long(workspace, name, records, size, every)
        seconds = time.perf_counter() - began
        print(f"{records:,} records, {stored / 1e6:.0f} MB in {seconds:.0f} s: {name}", flush=True)
    with connection.cursor() as cursor:
        for statement in AUDITED:
            cursor.execute(statement, {"w": workspace.pk})
        cursor.execute("ANALYZE")


def fill_many(workspace, count):
    """Conversations with four messages, two calls and for every third a compaction that was audited, by SQL."""
    agents = [Agent.objects.create(workspace=workspace, name=f"agent-{n % 7}", version=f"1.{n}").pk for n in range(20)]
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, {"w": workspace.pk, "n": count, "agents": agents, "line": SPARKLINE})


FILL = (
    """INSERT INTO conversations_conversation (workspace_id, source, external_id, agent_id, parent_external_id, title,
        cwd, complete, incomplete_reason, started_at, last_at, model_names, message_count, request_count,
        compaction_count, tokens_now, tokens_peak, sparkline, created_at)
    SELECT %(w)s, CASE n %% 3 WHEN 0 THEN 'codex' ELSE 'claude_code' END, md5(n::text),
        (%(agents)s::bigint[])[1 + n %% 20], '',
        'Fix the ' || (ARRAY['invoice','parser','timeline','login'])[1 + n %% 4] || ' of customer ' || n,
        '/srv/project-' || n %% 50, true, '', now() - n * interval '30 seconds',
        now() - n * interval '29 seconds', ARRAY['claude-sonnet-5-5'], 4, 2, (n %% 3 = 0)::int, 21000, 48000,
        %(line)s, now()
    FROM generate_series(1, %(n)s) n""",
    """INSERT INTO conversations_message (workspace_id, conversation_id, external_id, position, role, origin, at,
        blocks, size, excerpt, content_hash)
    SELECT %(w)s, c.id, 'm' || i, i * 10, (ARRAY['user','assistant'])[1 + i %% 2], 'spoken', c.started_at,
        json_build_array(json_build_object('type', 'text', 'text', repeat(md5(c.id::text || i) || ' ', 12))), 396, '',
        decode(md5(c.id::text || i), 'hex')
    FROM conversations_conversation c, generate_series(1, 4) i""",
    """INSERT INTO conversations_request (workspace_id, conversation_id, external_id, position, at, model, purpose,
        input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, context_tokens, stop_reason)
    SELECT %(w)s, c.id, 'r' || i, i * 20 - 5, c.started_at, 'claude-sonnet-5-5', 'turn', 10, 20000, 990, 300, 21000, ''
    FROM conversations_conversation c, generate_series(1, 2) i""",
    """INSERT INTO conversations_compaction (workspace_id, conversation_id, external_id, number, position, at, kind,
        trigger, instructions, model, error, summary_state, summary_external_id, kept_ids, cleared_ids, complete,
        dropped_count, kept_count, tokens_before_observed, tokens_after_observed)
    SELECT %(w)s, c.id, 'c1', 1, 25, c.last_at, (ARRAY['client','threshold'])[1 + c.id %% 2], 'auto', '', '', '',
        (ARRAY['text','text','absent'])[1 + c.id %% 3], '', '[]', '[]', true, 2, 0, 48000, 9000
    FROM conversations_conversation c WHERE c.compaction_count > 0""",
    """UPDATE conversations_message m SET dropped_by_id = k.id FROM conversations_compaction k
    WHERE k.workspace_id = m.workspace_id AND k.conversation_id = m.conversation_id AND m.position < k.position""",
)
#: Every compaction is audited, but one in ten of the small ones; facts and life-lines have the two long conversations.
AUDITED = (
    """INSERT INTO conversations_compactionaudit (workspace_id, compaction_id, state, version, audited_at, duration_ms,
        error, input_key, retention, retention_low, retention_high, facts, kept, altered, forgotten, added, harmful,
        open_losses, risk, harm_checkable, seen_messages, llm_state, llm_reason, llm_cost_usd, llm_key, llm_attempts)
    SELECT %(w)s, k.id, 'done', '1', now(), 40, '', '', 0.71, 0.64, 0.78, 60, 22, 3, 35, k.id %% 2, k.id %% 5 / 4, 4,
        (k.id * 7919 %% 100003) / 1000.0, true, 9, 'off', '', 0, '', 0
    FROM conversations_compaction k WHERE k.id %% 10 > 0 OR k.external_id <> 'c1'""",
    """INSERT INTO conversations_finding (workspace_id, conversation_id, compaction_id, fact_id, number, kind, text,
        quote, author, state, spans, first, last, count, importance, outcome, detail, probability, summary_start,
        summary_end, detector, reason, rank, parts, evidence, harmful)
    SELECT %(w)s, k.conversation_id, k.id, 'fact-' || i, i, (ARRAY['prohibition','value','decision'])[1 + i %% 3],
        'Job ' || i || ' must never be started twice, and its log is read before', 'the log says that job', 'user',
        'open', COALESCE(said.spans, '[]'), 1, 9, 3, 0.7, (ARRAY['forgotten','altered','kept'])[1 + i %% 3], '', 0.1,
        CASE WHEN i %% 3 > 0 THEN i * 20 END, CASE WHEN i %% 3 > 0 THEN i * 20 + 15 END, 'presence',
        'Nothing in the summary says it.', 1.0 / i,
        '{"rank": {"importance": 0.4, "outcome": 0.3}, "importance": {"kind": 0.5, "said often": 0.2}}', '[]', i = 1
    FROM conversations_compaction k CROSS JOIN generate_series(1, 300) i
    CROSS JOIN LATERAL (SELECT jsonb_agg(jsonb_build_array(m.external_id, 0, 10, 40)) AS spans FROM (
        SELECT external_id FROM conversations_message WHERE workspace_id = k.workspace_id AND dropped_by_id = k.id
        ORDER BY position OFFSET i %% 60 LIMIT 3) m) said
    WHERE k.external_id <> 'c1'""",
    """INSERT INTO conversations_lifeline (workspace_id, conversation_id, fact_id, kind, text, born, born_before,
        died_at, generations_kept, importance, stages)
    SELECT %(w)s, c.id, 'fact-' || i, 'prohibition', 'Job ' || i || ' must never be started twice', 1, 1,
        CASE WHEN i %% 2 = 0 THEN 20 END, 20, i / 300.0, stages.value
    FROM conversations_conversation c CROSS JOIN generate_series(1, 300) i
    CROSS JOIN LATERAL (SELECT jsonb_agg(jsonb_build_object('number', n, 'outcome', 'kept', 'detail', '', 'fact',
        'fact-' || i, 'came_back', null, 'followed', false, 'harmful', false)) AS value
        FROM generate_series(1, LEAST(c.compaction_count, 20)) n) stages
    WHERE c.source = 'events'""",
)


def fill_long(workspace, name, records, size, every):
    """One conversation through the ordinary way in, with a compaction after `every` records; bytes sent."""
    sent, events = 0, list(long_events(name, records, size, every))
    for start in range(0, len(events), AT_ONCE):
        body = msgspec.json.encode({"events": events[start : start + AT_ONCE]})
        sent += len(body)
        receipt = services.accept_events(workspace=workspace, body=body, claimed=True)
        services.digest_claimed([receipt.batch])
    return sent


def long_events(name, records, size, every):
    """Two messages, then a model call, and again; what stood shortly before a compaction stays beside its summary."""
    tokens, said = 18_000, []
    for n in range(records):
        shared = {"conversation": name, "sequence": n * 10}
        shared["at"] = f"2026-11-20T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z"
        if n % every == every - 1:
            yield {"type": "compaction", "id": f"{name}-c{n}", "trigger": "auto", "summary": summary(n),
                   "kept": said[-KEPT:], **shared}  # fmt: skip
            tokens, said = 18_000, []
        elif n % 3 == 1:
            tokens += 140
            usage = {"input_tokens": 4, "cache_read_tokens": tokens, "output_tokens": 200}
            yield {"type": "request", "id": f"r{n}", "model": "claude-opus-5-5", "usage": usage, **shared}
        else:
            said.append(f"m{n}")
            role = "assistant" if n % 3 == 2 else "user"
            yield {"type": "message", "id": f"m{n}", "role": role, "content": log_of(n, size * 3 // 2), **shared}


def log_of(n, size):
    """`size` characters that no other message has."""
    words = f"Line {n} of the log says that job {n * 7919 % 10007} ended with {n * 31 % 97}. "
    return (words * (size // len(words) + 1))[:size]


def summary(n):
    """About 13,000 characters with headings, lists and code, as models write them."""
    points = [f"- Point {i}: what was **decided** about `src/file_{i * n % 977}.py` stands." for i in range(200)]
    return "\n".join(f"## Part {at // 20}\n{point}" if at % 20 == 0 else point for at, point in enumerate(points))


def long_ones(workspace):
    """The conversation with long messages, and the one with many compactions."""
    rows = Conversation.objects.filter(workspace=workspace, source="events")
    return rows.get(external_id="long"), rows.get(external_id="generations")


def last_message(conversation):
    """The one that stands last."""
    return Message.objects.filter(conversation=conversation).order_by("-position").first()
