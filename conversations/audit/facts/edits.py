"""What was written: the files that were edited, and the names that were defined in them."""

import re
from collections.abc import Iterator

from conversations.audit.calls import Call
from conversations.audit.facts.draft import Draft
from conversations.audit.model import FactKind

MOST_NAMES = 4  # of one edit
MAX_LOOK = 20_000

_WRITTEN = re.compile(r'"(?:new_string|content|patch|input)": ?"')
_DEFINED = re.compile(
    r"(?:(?<=\\n)|(?<=\")|(?<=\\t)|(?<= ))(?:export |public |async |abstract |pub )*(?:func|def|class|"
    r"function|interface|type|struct|enum|trait|fn) "
    r"(?:\([^)\"\\]{1,60}\) )?[A-Za-z_]\w{3,80}(?: (?:implements|extends) \w+)?(?:\([^)\"\\]{0,80}\))?"
)


def from_edit(call: Call) -> Iterator[Draft]:
    """The file, and the first names that its new text defines. Failed edits wrote nothing."""
    if call.failed or call.harness_error:
        return
    at = call.line.text.find(call.path) if call.path else -1
    if at >= 0:
        name = call.path.rsplit("/", 1)[-1]
        yield Draft(
            FactKind.VALUE, call.line, at, at + len(call.path), "", f"{name} was edited", cues=("edited",), form="row"
        )
    if written := _WRITTEN.search(call.line.text[:MAX_LOOK]):
        for number, match in enumerate(_DEFINED.finditer(call.line.text, written.end(), MAX_LOOK)):
            if number == MOST_NAMES:
                return
            about = f"Written into {call.path.rsplit('/', 1)[-1]}"
            yield Draft(FactKind.VALUE, call.line, *match.span(), about, cues=("written",), form="code")
