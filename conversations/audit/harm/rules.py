"""What a prohibition forbids by name, and whether a tool call does it. Pure."""

import re

from conversations.audit.calls import VIEWERS, Call

_FORBIDS = re.compile(
    r"\b(?:do not|don't|dont|never|must not|mustn't|should not|shouldn't|may not|no more|stop|avoid|without|instead of|"
    r"rather than|not to)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[.;!?\n](?=\s|$)|,\s+(?=(?:we|i|it|you|use|but|as|since|because|so|always|only|prefer)\b)|\bbut\b|\binstead\b|\bbecause\b"
)
_CODE = re.compile(r"`([^`\n]{2,80})`")
_NAME = re.compile(r"(?<![\w/.-])(?:--?[a-z][\w-]+|[\w.-]*[\w-]+(?:/[\w.@-]+)+/?|\w[\w-]*\.[a-z]{1,5})(?![\w/])")
#: Verbs that are commands of their own, and what they look like when run.
_DEEDS = {
    "commit": re.compile(r"\bgit\b(?: -\S+(?: \S+)?)* commit\b"),
    "amend": re.compile(r"\bgit commit\b[^\n;&|]*--amend\b"),
    "push": re.compile(r"\bgit\b(?: -\S+(?: \S+)?)* push\b"),
    "force push": re.compile(r"\bgit push\b[^\n;&|]*(?:--force\b|-f\b|--force-with-lease\b)"),
    "rebase": re.compile(r"\bgit rebase\b"),
    "stash": re.compile(r"\bgit stash\b"),
    "deploy": re.compile(r"^\s*\S*deploy\b|\b(?:run|make) deploy\b|\bkubectl apply\b|\bterraform apply\b"),
}
_TOOLS = re.compile(
    r"\b(?:npm|npx|yarn|pnpm|bun|pip|poetry|uv|conda|docker|podman|sudo|python|python3|node|curl|wget|brew|apt|make|cargo|gradle|mvn|sed|awk)\b"
)
#: Naming a thing to these does nothing to it.
_LOOKING = VIEWERS - {
    "git",
    "gh",
    "rm",
    "cp",
    "mv",
    "curl",
    "wget",
    "kill",
    "pkill",
    "sed",
    "touch",
    "mkdir",
    "chmod",
    "tee",
}
#: What makes a rule hold only sometimes; whether the time has come cannot be told from a command.
_CONDITION = re.compile(
    r"\b(?:until|unless|before|yet|if|when|for now|in this (?:phase|step)|right now|first)\b", re.IGNORECASE
)


def forbidden_by(quote: str) -> frozenset[str]:
    """The commands, options, tools and paths that a rule forbids, in small letters; empty for a conditional rule."""
    cue = _FORBIDS.search(quote)
    if cue is None or _CONDITION.search(quote):
        return frozenset()
    clause = _CLAUSE_END.split(quote[cue.end() :], maxsplit=1)[0].lower()
    names = set(_CODE.findall(clause)) | set(_NAME.findall(_CODE.sub(" ", clause))) | set(_TOOLS.findall(clause))
    return frozenset(names | {deed for deed in _DEEDS if re.search(rf"\b{deed}\b", clause)})


def uses(call: Call, names: frozenset[str]) -> str:
    """The first forbidden name that the call uses, "" for none. Looking at a forbidden file is not touching it."""
    for name in sorted(names):
        if name in _DEEDS:
            if _DEEDS[name].search(call.command[:20_000]):
                return name
        elif _runs(call.command[:20_000].lower(), name) or _changes(call, name):
            return name
    return ""


def _runs(command: str, name: str) -> bool:
    for segment in re.split(r"&&|\|\||[;\n|]", command):
        first = segment.split()[0].rsplit("/", 1)[-1] if segment.split() else ""
        if first in _LOOKING and first != name:
            continue
        if (
            first == name
            or (name.startswith("-") and name in segment.split())
            or (" " in name and segment.strip().startswith(name))
        ):
            return True
    return False


def _changes(call: Call, name: str) -> bool:
    if not call.path or not ({"new_string", "content", "edits", "new_source"} & call.input.keys()):
        return False
    return ("/" in name or "." in name) and f"/{name.strip('/')}" in f"/{call.path.lower()}"
