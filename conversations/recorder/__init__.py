"""The recorder: model calls of an agent, told to an Observatory. Standard library only, nothing of the server's."""

from .agent import Agent, budget_watch, run_agent, run_agent_async
from .budgets import Budget, BudgetExceeded, BudgetStatus
from .compacting import Compaction, CompactionEvent, instructions_version
from .labels import conversation
from .limits import Counts, Limits
from .looping import AgentRun
from .manual import Recorder
from .observing import counts, flush, observe
from .version import VERSION

__version__ = VERSION

__all__ = [
    "Agent",
    "AgentRun",
    "Budget",
    "BudgetExceeded",
    "BudgetStatus",
    "Compaction",
    "CompactionEvent",
    "Counts",
    "Limits",
    "Recorder",
    "__version__",
    "budget_watch",
    "conversation",
    "counts",
    "flush",
    "instructions_version",
    "observe",
    "run_agent",
    "run_agent_async",
]
