"""What an agent says it did about a budget."""

from dataclasses import dataclass
from datetime import datetime

from conversations.spending.budgets import Asker
from conversations.vocabulary import BudgetEventKind


@dataclass(frozen=True, slots=True)
class Reported:
    """What an agent did about a budget; `budget_id` as it says, which may be none of its workspace."""

    workspace_id: int
    external_id: str
    kind: BudgetEventKind
    asker: Asker
    at: datetime
    budget_id: int | None = None
    budget_name: str = ""
    used: float | None = None
    limit: float | None = None
    message: str = ""
