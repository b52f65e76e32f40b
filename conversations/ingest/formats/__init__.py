"""Every format becomes events: `for output in parse_file(path).outputs: …` yields an Event or a Problem at a time.

For a file that grows: `parser = parser_for(recognise(head))`, `parser.feed(line, number)` for each line, then
`parser.checkpoint()`; later `resume_parser(source, checkpoint)` and only the new lines.
"""

from conversations.ingest.formats.base import STRIDE, Output, Parser, State, event_key
from conversations.ingest.formats.files import (
    HEAD_BYTES,
    Parsed,
    parse_file,
    parser_for,
    recognise,
    resume_parser,
    source_key,
)

__all__ = [
    "HEAD_BYTES",
    "STRIDE",
    "Output",
    "Parsed",
    "Parser",
    "State",
    "event_key",
    "parse_file",
    "parser_for",
    "recognise",
    "resume_parser",
    "source_key",
]
