"""Pages of lists whose order is a score: the same as `pagination.Keyset`, for real numbers that stand worst first."""

import base64
import binascii
import math
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.db.models import Model, Q

from conversations.api.pagination import Keyset
from conversations.errors import BadInput


@dataclass(frozen=True, slots=True)
class Ranked(Keyset):
    """Sorted by a score, the highest first, then by `tie`; both may be a joined row's (`audit__risk`)."""

    descending: bool = True
    tie: str = "id"
    tie_descending: bool = False

    def names(self) -> list[str]:
        """Fields for order_by."""
        return [f"-{self.field}", f"{'-' if self.tie_descending else ''}{self.tie}"]

    def beyond(self, cursor: str) -> Q:
        """Rows after the cursor. Raises BadInput."""
        value, pk = self._place(cursor)
        side = "lt" if self.tie_descending else "gt"
        behind = Q(**{f"{self.field}__lt": value}) | Q(**{f"{self.tie}__{side}": pk})
        return Q(**{f"{self.field}__lte": value}) & behind

    def cursor(self, row: Model) -> str:
        """Where the row stands."""
        text = f"{self.field}:{_value(row, self.field)!r}:{_value(row, self.tie)}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _place(self, cursor: str) -> tuple[float, int]:
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            field, value, pk = text.split(":")
            known = field == self.field and math.isfinite(float(value)) and 0 <= int(pk) < 2**63
        except (binascii.Error, ValueError):
            known = False
        if not known:
            raise BadInput(
                "This cursor is not one of this list.", mend='Follow the "next" of the page before.', at="cursor"
            )
        return float(value), int(pk)


def _value(row: Model, path: str) -> Any:
    return reduce(getattr, path.split("__"), row)
