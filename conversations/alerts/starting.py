"""The rules that most teams want: to begin with, as specs without a name of theirs. Pure."""

from typing import Any, NamedTuple


class Start(NamedTuple):
    """A rule to begin with."""

    key: str
    name: str
    why: str
    fields: dict[str, Any]


STARTS = (
    Start("ledger", "Forgets a rule of ours", "A rule or fact of the ledger is forgotten or altered.",
          {"metric": "ledger_lost", "warning": 0, "group_by": "agent"}),
    Start("constraints", "Forgets what it must not do", "One forgotten prohibition is enough.",
          {"metric": "forgotten", "fact_kind": "prohibition", "warning": 0, "group_by": "agent"}),
    Start("harm", "A loss did harm", "A lost fact was asked for again, looked up again, or acted against.",
          {"metric": "harm", "critical": 0, "group_by": "agent"}),
    Start("forgetful", "Forgets more than usual", "On average over a day, half as many facts again as the day before.",
          {"metric": "forgotten", "aggregation": "mean", "window_minutes": 1440, "direction": "rises", "warning": 50,
           "minimum_sample": 10, "group_by": "version"}),
    Start("retention", "Keeps too little", "The median share of facts kept, by importance, over a day.",
          {"metric": "retention", "aggregation": "p50", "window_minutes": 1440, "direction": "below", "warning": 80,
           "critical": 60, "minimum_sample": 5, "group_by": "agent"}),
    Start("spiral", "Death spiral", "One conversation compacts over and over within an hour.",
          {"metric": "compactions", "aggregation": "count", "warning": 4, "critical": 9, "group_by": "conversation"}),
    Start("truncated", "Messages vanish without a summary", "The context was cut and nothing was kept of it.",
          {"metric": "unannounced", "warning": 0, "group_by": "agent"}),
    Start("failing", "Compactions fail", "More than one in ten over six hours.",
          {"metric": "failed", "aggregation": "share", "window_minutes": 360, "warning": 10, "minimum_sample": 10,
           "group_by": "agent"}),
    Start("full", "The window is nearly full", "It compacted so late that there was hardly any room left.",
          {"metric": "window_use", "warning": 90, "critical": 97, "group_by": "agent"}),
    Start("cost", "Compacting becomes dear", "US dollars for writing summaries, over a day.",
          {"metric": "compacting_cost", "aggregation": "sum", "window_minutes": 1440, "warning": 10, "critical": 50,
           "group_by": "agent"}),
    Start("silence", "An agent has gone silent", "Nothing arrived from it for an hour.",
          {"metric": "arrivals", "aggregation": "count", "direction": "below", "warning": 1, "group_by": "agent"}),
)  # fmt: skip
BY_KEY = {start.key: start for start in STARTS}
