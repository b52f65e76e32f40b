"""Compactions that an exchange tells of itself, as the Messages API and OpenAI's do."""

import pytest

from tests.ingest.contexts.talking import (
    Announced,
    Call,
    CompactionKind,
    MessageEvent,
    RequestEvent,
    SummaryState,
    Talk,
    Trigger,
    assistant,
    calls,
    result,
    summary,
    usage,
    user,
    words,
)

SUMMARY = "They asked about eight matters."
THRESHOLD = Announced(
    kind=CompactionKind.THRESHOLD,
    trigger=Trigger.THRESHOLD,
    summary=SUMMARY,
    cost=usage(9000, 500),
    trigger_tokens=50_000,
)
ON_DEMAND = Announced(kind=CompactionKind.ON_DEMAND, trigger=Trigger.MANUAL, summary=SUMMARY, cost=usage(9000, 500))
BOTH_CALLS = [Call(usage=usage(9000, 500), purpose="compaction"), Call(usage=usage(800, 40))]


def seen(kind, before):
    return Announced(kind=kind, in_request=True, before=before, summary=SUMMARY)


def at_threshold(talk, *answer, announced=THRESHOLD, made=BOTH_CALLS):
    talk.messages.append(user("Go on."))
    talk.send(talk.messages, summary(SUMMARY), *answer, announced=[announced], calls=made)
    talk.messages += [summary(SUMMARY), *answer]


def test_threshold_drops_everything_before_its_block():
    talk = Talk("You are helpful.")
    sent = list(talk.turns(8))

    at_threshold(talk, assistant("Going on."))

    [compaction] = talk.compactions()
    assert talk.dropped() == [*words(sent), "Go on."]
    assert (compaction.kind, compaction.trigger_tokens, compaction.cost.input_tokens) == ("threshold", 50_000, 9000)
    assert talk.texts([compaction.summary_message]) == [SUMMARY]
    order = sorted([*talk.events(MessageEvent), *talk.events(RequestEvent), compaction], key=lambda e: e.sequence)
    assert [type(each).__name__ for each in order[-6:]] == [
        "MessageEvent", "RequestEvent", "CompactionEvent", "MessageEvent", "RequestEvent", "MessageEvent",
    ]  # fmt: skip
    assert [each.purpose for each in talk.events(RequestEvent)][-2:] == ["compaction", "turn"]


@pytest.mark.parametrize("sends_everything", [True, False])
def test_client_may_go_on_sending_what_was_dropped(sends_everything):
    talk = Talk()
    talk.turns(8)
    at_threshold(talk, assistant("Going on."))
    start = 17
    if not sends_everything:
        talk.messages, start = talk.messages[17:], 0

    for number in range(3):
        talk.say(f"More {number}.", announced=[seen(CompactionKind.THRESHOLD, start)])

    assert len(talk.compactions()) == 1
    assert len(talk.events(MessageEvent)) == 16 + 3 + 6


def test_one_compaction_after_another():
    talk = Talk()
    talk.turns(4)
    at_threshold(talk, assistant("Going on."))
    for number in range(3):
        talk.say(f"More {number}.", announced=[seen(CompactionKind.THRESHOLD, 9)])
    talk.messages.append(user("Again."))
    second = Announced(kind=CompactionKind.THRESHOLD, summary="And three more.")
    again = [seen(CompactionKind.THRESHOLD, 9), second]
    talk.send(talk.messages, summary("And three more."), assistant("On."), announced=again, calls=BOTH_CALLS)

    assert talk.dropped(1) == [SUMMARY, "Going on.", *words(talk.messages[-7:])]


def test_paused_client_may_put_messages_back():
    talk = Talk()
    sent = list(talk.turns(6))
    paused = Announced(kind=CompactionKind.THRESHOLD, summary=SUMMARY, paused=True)
    at_threshold(talk, announced=paused, made=BOTH_CALLS[:1])

    kept = sent[-2:]
    talk.messages = [summary(SUMMARY), *kept, user("Go on.")]
    talk.send(talk.messages, assistant("Going on."), announced=[seen(CompactionKind.THRESHOLD, 0)])

    [compaction] = talk.compactions()
    assert talk.dropped() == words(sent[:-2])
    assert talk.texts(compaction.kept) == [*words(kept), "Go on."]
    assert compaction.raw == {"paused": True}
    assert len(talk.events(MessageEvent)) == 12 + 1 + 1 + 1


def test_on_demand_drops_exactly_what_it_was_asked_about():
    talk = Talk()
    sent = list(talk.turns(6))

    talk.send(sent, summary(SUMMARY), announced=[ON_DEMAND], calls=BOTH_CALLS[:1])
    talk.messages = [summary(SUMMARY)]
    talk.say("Go on.", announced=[seen(CompactionKind.ON_DEMAND, 0)])
    talk.say("And on.", announced=[seen(CompactionKind.ON_DEMAND, 0)])

    [compaction] = talk.compactions()
    assert talk.dropped() == words(sent)
    assert compaction.kind is CompactionKind.ON_DEMAND
    assert compaction.kept == []


def test_last_turns_are_kept_with_their_keys():
    """The request asks about all but the last turns, which then follow the block."""
    talk = Talk()
    sent = list(talk.turns(6))
    before = {each.id for each in talk.events(MessageEvent)}

    talk.send(sent[:-4], summary(SUMMARY), announced=[ON_DEMAND], calls=BOTH_CALLS[:1])
    talk.messages = [summary(SUMMARY), *sent[-4:]]
    talk.say("Go on.", announced=[seen(CompactionKind.ON_DEMAND, 0)])

    [compaction] = talk.compactions()
    assert talk.dropped() == words(sent[:-4])
    assert talk.texts(compaction.kept) == words(sent[-4:])
    assert len(talk.events(MessageEvent)) == len(before) + 1 + 2


def test_turns_that_went_on_in_the_background_stay():
    """The summary is made while the conversation goes on, and put in later."""
    talk = Talk()
    sent = list(talk.turns(6))
    asked = talk.exchange(sent, summary(SUMMARY), announced=[ON_DEMAND], calls=BOTH_CALLS[:1])
    talk.say("Meanwhile.")
    talk.take(asked)
    talk.messages = [summary(SUMMARY), *talk.messages[-2:]]
    talk.say("Go on.", announced=[seen(CompactionKind.ON_DEMAND, 0)])

    [compaction] = talk.compactions()
    assert talk.dropped() == words(sent)
    assert talk.texts(compaction.kept)[0] == "Meanwhile."


@pytest.mark.parametrize("kind", [CompactionKind.THRESHOLD, CompactionKind.ON_DEMAND])
def test_block_is_seen_only_when_it_comes_back(kind):
    talk = Talk()
    sent = list(talk.turns(6))
    start = len(sent) if kind is CompactionKind.THRESHOLD else 0
    talk.messages = [*(sent if start else []), summary(SUMMARY)]

    for text in ("Go on.", "And on."):
        talk.say(text, announced=[seen(kind, start)])

    [compaction] = talk.compactions()
    assert talk.dropped() == words(sent)
    assert compaction.kind is kind


def test_capture_begins_after_a_compaction():
    talk = Talk()
    talk.messages = [summary(SUMMARY)]

    talk.say("Go on.", announced=[seen(CompactionKind.ON_DEMAND, 0)])

    [compaction] = talk.compactions()
    assert (compaction.dropped, compaction.complete) == ([], False)
    assert talk.texts()[:2] == [SUMMARY, "Go on."]


def test_failed_compaction_replaces_nothing():
    talk = Talk()
    talk.turns(4)
    failed = Announced(kind=CompactionKind.THRESHOLD, summary_state=SummaryState.FAILED, error="It came back empty.")
    talk.say("Go on.", announced=[failed])
    talk.say("And on.")

    [compaction] = talk.compactions()
    assert (compaction.summary_state, compaction.dropped) == (SummaryState.FAILED, [])
    assert compaction.error == "It came back empty."
    assert len(talk.events(MessageEvent)) == 12


def test_refused_compaction_on_demand_is_told():
    talk = Talk()
    sent = talk.turns(4)
    refused = Announced(kind=CompactionKind.ON_DEMAND, summary_state=SummaryState.FAILED, error="400 nothing to do")
    talk.send(sent, announced=[refused], error="400 nothing to do")
    talk.say("Go on.")

    assert [each.summary_state for each in talk.compactions()] == [SummaryState.FAILED]
    assert len(talk.events(MessageEvent)) == 10


def test_hosted_compaction_keeps_what_the_user_said():
    talk = Talk()
    sent = list(talk.turns(4))
    talk.messages.append(user("Go on."))
    users = [index for index, said in enumerate(talk.messages) if said.role == "user"]
    opaque = Announced(
        kind=CompactionKind.HOSTED_OPAQUE, summary_state=SummaryState.ENCRYPTED, kept=users, summary=None
    )
    talk.send(talk.messages, summary(""), announced=[opaque], calls=BOTH_CALLS[:1])
    talk.messages = [*(talk.messages[index] for index in users), summary("")]
    talk.say("And on.", announced=[seen_opaque(len(users))])

    [compaction] = talk.compactions()
    assert compaction.summary_state is SummaryState.ENCRYPTED
    assert talk.dropped() == [each for each in words(sent) if "say" in each]
    assert talk.texts(compaction.kept) == [f"Question {n} about matter." for n in range(4)] + ["Go on."]
    assert len(talk.events(MessageEvent)) == 8 + 1 + 1 + 2


def test_summaries_that_come_back_with_everything_before_them_tell_nothing_twice():
    talk, announced = Talk("You are helpful."), []
    for number in range(4):
        for turn in range(3):
            talk.say(f"Question {number}.{turn}", announced=announced)
        announced = [seen(CompactionKind.THRESHOLD, len(talk.messages))]
        talk.messages.append(summary(f"Part {number} is done."))
        talk.say(f"Begin part {number + 1}.", announced=announced)

    assert sorted(talk.texts()[1:]) == sorted(words(talk.messages))
    assert [len(each.dropped) for each in talk.compactions()] == [6, 9, 9, 9]
    assert [each.kept for each in talk.compactions()] == [[], [], [], []]


def seen_opaque(before):
    return Announced(
        kind=CompactionKind.HOSTED_OPAQUE,
        summary_state=SummaryState.ENCRYPTED,
        in_request=True,
        before=before,
        kept=list(range(before)),
    )


def test_results_that_the_api_clears_are_told_once():
    talk = Talk()
    talk.messages.append(user("Read all files."))
    for number in range(6):
        asked = calls("read", f"t{number}")
        cleared = [f"t{each}" for each in range(max(0, number - 2))]
        clearing = Announced(
            kind=CompactionKind.TOOL_CLEAR,
            summary_state=SummaryState.ABSENT,
            cleared=cleared,
            cleared_count=len(cleared),
        )
        talk.send(talk.messages, asked, announced=[clearing] if cleared else [])
        talk.messages += [asked, result(f"content {number}", f"t{number}")]

    [compaction] = talk.compactions()
    assert compaction.cleared == ["t0", "t1", "t2"]
    assert (compaction.kind, compaction.summary_state) == (CompactionKind.TOOL_CLEAR, SummaryState.ABSENT)


def test_cleared_results_are_the_oldest_where_they_are_only_counted():
    talk = Talk()
    talk.messages.append(user("Read all files."))
    for number in range(4):
        asked = calls("read", f"t{number}")
        talk.send(talk.messages, asked)
        talk.messages += [asked, result(f"content {number}", f"t{number}")]
    clearing = Announced(kind=CompactionKind.TOOL_CLEAR, summary_state=SummaryState.ABSENT, cleared_count=2)
    talk.send(talk.messages, assistant("Read."), announced=[clearing])

    assert talk.compactions()[0].cleared == ["t0", "t1"]


def test_exchange_from_before_a_compaction_may_come_after_it():
    talk = Talk()
    talk.turns(4)
    last = user("Go on.")
    talk.messages.append(last)
    late = talk.exchange(
        talk.messages, summary(SUMMARY), assistant("Going on."), announced=[THRESHOLD], calls=BOTH_CALLS
    )
    talk.messages += [summary(SUMMARY), assistant("Going on.")]
    talk.say("More.", announced=[seen(CompactionKind.THRESHOLD, 9)])
    talk.say("And more.", announced=[seen(CompactionKind.THRESHOLD, 9)])

    talk.take(late)

    [compaction] = talk.compactions()
    assert len(compaction.dropped) == 9
    assert talk.conversations() == {"c"}
    assert len(talk.events(MessageEvent)) == 9 + 2 + 4
    assert [each.purpose for each in talk.events(RequestEvent)].count("compaction") == 1


def test_conversation_goes_on_while_its_summary_is_made():
    """The block comes before the turn that went on meanwhile, and is put in after it."""
    talk = Talk()
    sent = list(talk.turns(6))
    talk.send(sent, summary(SUMMARY), announced=[ON_DEMAND], calls=BOTH_CALLS[:1])
    talk.say("Meanwhile.")
    talk.messages = [summary(SUMMARY), *talk.messages[-2:]]
    talk.say("Go on.", announced=[seen(CompactionKind.ON_DEMAND, 0)])
    talk.say("And on.", announced=[seen(CompactionKind.ON_DEMAND, 0)])

    [compaction] = talk.compactions()
    assert talk.dropped() == words(sent)
    assert talk.texts(compaction.kept)[0] == "Meanwhile."
    assert talk.conversations() == {"c"}
    assert len(talk.events(MessageEvent)) == 12 + 1 + 2 + 4
    assert compaction.sequence > talk.events(RequestEvent)[-3].sequence
