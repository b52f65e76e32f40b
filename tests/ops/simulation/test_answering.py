import json
import urllib.error
import urllib.request

import anthropic
import pytest

from conversations.ops.simulation.answering import Answerer
from conversations.ops.simulation.requests import ON_DEMAND_BETA, THRESHOLD_BETA
from conversations.ops.simulation.server import serve
from tests.ops.simulation.model import LONG, MODEL, Scripted, assistant, client_of, compact, create, edit, user


def test_below_its_trigger_nothing_is_compacted():
    with client_of(Scripted()) as client:
        answer = create(client, [user("Hello.")], edit())
    assert answer.content[0].text == "I see 1."
    assert [each.type for each in answer.usage.iterations] == ["message"]
    assert answer.context_management.applied_edits == []


def test_at_its_trigger_the_summary_comes_first_and_the_turn_goes_on_from_it():
    model = Scripted()
    with client_of(model) as client:
        answer = create(client, [user(LONG), assistant("Yes."), user("Go on.")], edit(instructions="Names."))
    assert [block.type for block in answer.content] == ["compaction", "text"]
    assert answer.content[0].content == "So far: nothing much."
    assert answer.content[0].signature is None
    assert answer.content[1].text == "I see 1."  # the summary alone
    assert model.asked == ["Names."]
    spent, turn = answer.usage.iterations
    assert (spent.type, turn.type) == ("compaction", "message")
    assert spent.input_tokens > 51_000
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (turn.input_tokens, turn.output_tokens)
    assert turn.input_tokens < 100


def test_a_pause_gives_the_summary_alone_and_costs_nothing_else():
    model = Scripted()
    with client_of(model) as client:
        answer = create(client, [user(LONG)], edit(pause_after_compaction=True))
        assert answer.stop_reason == "compaction"
        assert [block.type for block in answer.content] == ["compaction"]
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (0, 0)
        assert [each.type for each in answer.usage.iterations] == ["compaction"]
        kept = [user(LONG), assistant(answer.content), user("Kept."), assistant("Kept too."), user("Now.")]
        after = create(client, kept, edit(pause_after_compaction=True))
    assert after.content[0].text == "I see 4."  # what stands before the summary is not read any more


def test_a_compaction_that_fails_changes_nothing():
    model = Scripted(summary=None)
    with client_of(model) as client:
        answer = create(client, [user(LONG)], edit(pause_after_compaction=True))
        assert [block.type for block in answer.content] == ["compaction", "text"]
        assert answer.content[0].content is None
        assert answer.stop_reason == "end_turn"
        create(client, [user(LONG), assistant(answer.content), user("Again.")], edit())
    assert len(model.seen[-1].messages) == 3  # a block without content replaces nothing


def test_a_second_compaction_summarises_the_first_summary():
    model = Scripted()
    with client_of(model) as client:
        first = create(client, [user(LONG)], edit())
        create(client, [user(LONG), assistant(first.content), user(LONG)], edit())
    summarised = model.seen[2]
    assert [message["role"] for message in summarised.messages] == ["assistant", "user"]
    assert summarised.messages[0]["content"][0]["type"] == "compaction"


# --- on demand --------------------------------------------------------------------------------------------------------


def test_on_demand_the_answer_is_one_signed_block():
    model = Scripted()
    with client_of(model) as client:
        answer = compact(client, [user("Hello."), assistant("Hi."), user("Bye.")], instructions="Names.")
        block = answer.content[0]
        assert (answer.stop_reason, len(answer.content)) == ("compaction", 1)
        assert block.signature
        assert (answer.usage.input_tokens, answer.usage.iterations[0].type) == (0, "compaction")
        assert model.asked == ["Names."]
        after = create(client, [assistant([block]), user("And now?")], betas=[ON_DEMAND_BETA])
    assert after.content[0].text == "I see 2."


def test_on_demand_a_failure_has_no_block():
    with client_of(Scripted(summary=None)) as client:
        answer = compact(client, [user("Hello.")])
    assert (answer.content, answer.stop_reason) == ([], "end_turn")
    assert answer.usage.iterations[0].input_tokens > 0


def with_block(client, change, rest):
    block = compact(client, [user("Hello.")]).content[0].model_dump(exclude_none=True)
    return create(client, rest({**block, **change}), betas=[ON_DEMAND_BETA])


@pytest.mark.parametrize(
    ("change", "rest", "code"),
    [
        ({"content": "Other."}, lambda b: [assistant([b]), user("Go.")], "compaction_content_mismatch"),
        ({"signature": "bm90IG91cnM="}, lambda b: [assistant([b]), user("Go.")], "compaction_signature_invalid"),
        ({"signature": "?"}, lambda b: [assistant([b]), user("Go.")], "compaction_signature_invalid"),
        ({}, lambda b: [user("First."), assistant([b]), user("Go.")], "compaction_block_misplaced"),
        ({}, lambda b: [assistant([b]), user("a"), assistant([b]), user("Go.")], "compaction_block_ambiguous"),
    ],
)
def test_a_signed_block_is_taken_only_as_it_was_given(change, rest, code):
    with client_of(Scripted()) as client, pytest.raises(anthropic.BadRequestError) as refusal:
        with_block(client, change, rest)
    assert refusal.value.body["error"]["details"]["error_code"] == code


# --- what is refused --------------------------------------------------------------------------------------------------

CALL = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}


@pytest.mark.parametrize(
    ("messages", "fields", "message"),
    [
        ([user("a")], {"edits": [edit(49_999)]}, "greater than or equal to 50000"),
        ([user("a")], {"edits": [{**edit(), "trigger": {"type": "tool_uses", "value": 3}}]}, "input_tokens"),
        ([user("a")], {"edits": [edit()], "betas": []}, f"needs the beta {THRESHOLD_BETA}"),
        ([user("a"), assistant([{"type": "compaction", "content": "s"}]), user("b")], {}, "need the beta"),
        ([user("a"), assistant([CALL]), user("b")], {}, "without `tool_result` blocks"),
        ([user("a")], {"compaction": {"type": "summarize"}}, f"needs the beta {ON_DEMAND_BETA}"),
        ([user("a")], {"compaction": {"type": "shorten"}, "betas": [ON_DEMAND_BETA]}, "summarize"),
        ([user("a")], {"compaction": {"type": "summarize", "instructions": "x" * 16_385}, "betas": [ON_DEMAND_BETA]},
         "at most 16384"),
        ([user("a")], {"compaction": {"type": "summarize"}, "betas": [ON_DEMAND_BETA, THRESHOLD_BETA],
                       "edits": [edit()]}, "cannot be combined with context_management"),
        ([user("a")], {"compaction": {"type": "summarize"}, "betas": [ON_DEMAND_BETA], "stop_sequences": ["x"]},
         "cannot be combined with stop_sequences"),
        ([user("a"), assistant([CALL])], {"compaction": {"type": "summarize"}, "betas": [ON_DEMAND_BETA]},
         "not complete"),
    ],
)  # fmt: skip
def test_what_the_api_refuses_is_refused(messages, fields, message):
    fields = {"betas": [THRESHOLD_BETA], "edits": [], **fields}
    with client_of(Scripted()) as client, pytest.raises(anthropic.BadRequestError, match=message):
        create(client, messages, *fields.pop("edits"), **fields)


def test_a_smaller_trigger_is_taken_where_the_stand_in_was_told_to():
    with client_of(Scripted(), least_trigger=10) as client:
        answer = create(client, [user("Hello there, how are you today, and what is new?" * 3)], edit(10))
    assert answer.content[0].type == "compaction"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [(b"{}", {}, 401), (b"{", {"x-api-key": "k"}, 400), (b"[]", {"x-api-key": "k"}, 400)],
)
def test_what_is_no_request_is_answered_as_an_error(body, headers, status):
    with serve(Answerer(Scripted())) as url:
        request = urllib.request.Request(f"{url}/v1/messages", body, headers)
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(request)
        with refusal.value as answer:
            assert answer.code == status
            assert json.load(answer)["type"] == "error"


def test_requests_that_are_none_are_answered_as_errors():
    with client_of(Scripted()) as client:
        with pytest.raises(anthropic.NotFoundError):
            client.post("/v1/other", body={}, cast_to=object)
        with pytest.raises(anthropic.BadRequestError, match="messages: Field required"):
            client.messages.create(model=MODEL, max_tokens=1, messages=[])


# --- streams, counts, cache -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pauses", [True, False])
def test_streamed_is_the_same(pauses):
    asked = [user(LONG)]
    with client_of(Scripted()) as client:
        whole = create(client, asked, edit(pause_after_compaction=pauses))
        management = {"edits": [edit(pause_after_compaction=pauses)]}
        with client.beta.messages.stream(
            model=MODEL, max_tokens=100, messages=asked, betas=[THRESHOLD_BETA], context_management=management
        ) as stream:
            streamed = stream.get_final_message()
    own = {"id", "parsed_output"}
    assert streamed.model_dump(exclude=own | {"content"}) == whole.model_dump(exclude=own | {"content"})
    said = [
        [(block.type, getattr(block, "text", None) or block.content) for block in m.content] for m in (streamed, whole)
    ]
    assert said[0] == said[1]


def test_counting_tokens_compacts_nothing_but_knows_what_a_summary_replaced():
    with client_of(Scripted()) as client:
        count = client.beta.messages.count_tokens
        management = {"betas": [THRESHOLD_BETA], "context_management": {"edits": [edit()]}}
        long = count(model=MODEL, messages=[user(LONG)], **management)
        assert long.input_tokens == long.context_management.original_input_tokens > 50_000
        summary = assistant([{"type": "compaction", "content": "s"}])
        after = count(model=MODEL, messages=[user(LONG), summary, user("b")], **management)
        assert after.input_tokens < 50
        assert after.context_management.original_input_tokens > 50_000
        plain = count(model=MODEL, messages=[user("a")])
    assert plain.context_management is None


def marked(text):
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}


def test_what_was_marked_is_read_from_the_cache_the_next_time():
    text = "word " * 2_000
    with client_of(Scripted()) as client:
        first = create(client, [user([marked(text)])]).usage
        longer = [user([{"type": "text", "text": text}]), assistant("Yes."), user([marked("More " * 400)])]
        second = create(client, longer).usage
        other = create(client, [user([marked("Other " + text)])]).usage
    assert first.cache_creation_input_tokens > 2_500
    assert first.cache_read_input_tokens == 0
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens > 400
    assert other.cache_read_input_tokens == 0


def test_a_short_prefix_is_not_cached():
    with client_of(Scripted()) as client:
        usage = [create(client, [user([marked("Hello.")])]).usage for _ in range(2)]
    assert [each.cache_creation_input_tokens + each.cache_read_input_tokens for each in usage] == [0, 0]
