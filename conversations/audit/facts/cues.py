"""The words by which people and agents mark rules, decisions, open ends and reasons. General English, no project words.

Patterns are flat and anchored by word edges. Where a text is in another language none fires, and what a unit is then
follows from who said it and where.
"""

import re

from conversations.audit.patterns import AnyCase


def _words(pattern: str) -> AnyCase:
    return AnyCase(rf"(?<![\w-])(?:{pattern})(?![\w-])")


PROHIBITION = _words(
    r"never|must not|mustn't|do not|don't|does not need|should not|shouldn't|cannot be|may not|no longer|avoid|refrain|"
    r"forbidden|not allowed|prohibited|under no circumstances|stop \w+ing|without (?:asking|permission|my)|"
    r"only (?:if|when|after|with|use|the)|"
    r"keep (?:\S+ ){0,4}(?:unchanged|as is|intact)"
)
#: "No floats anywhere": a prohibition that needs no verb. "No problem, …" and "No, …" are answers.
NO_SUCH = re.compile(
    r"(?:^\W*(?:\d{1,2}[.)]\s)?|[.!;:]\s)No (?!(?:one|problem|worries|need|idea|longer|matter|doubt|rush|wonder|"
    r"issues?|errors?|changes?)\b)[a-z][\w-]+"
)
REQUIREMENT = _words(
    r"must|always|have to|has to|need(?:s|ed)? to|required?|should|shall|make sure|ensure|be sure|"
    r"before (?:you|any|each|every|committing|pushing)|"
    r"after (?:you|each|every)|every time|whenever|when you|from now on|remember to|at (?:least|most)|in both|"
    r"keep|mandatory"
)
PREFERENCE = _words(
    r"prefer\w*|rather|instead of|i (?:like|want|would like|'d like)|style|format|tone|language|concise|brief|verbose|"
    r"plain|simple[r]?|convention|named?|in (?:english|german|french|spanish|markdown|json)"
)
APPROVAL = _words(
    r"go ahead|approved?|looks? good|lgtm|yes|yeah|yep|sounds good|do it|proceed|fine|agreed?|ok|okay|"
    r"no|nope|not now|reject\w*|decline\w*|leave it|skip (?:it|this|that)|don't bother|never mind|merge it|ship it"
)
DECISION = _words(
    r"decid\w+|decision|chos\w+|choose|chosen|agreed|settled on|opt(?:ed)? for|go(?:ing)? with|went with|"
    r"instead of|rather than|"
    r"alternative\w*|approach|trade-?offs?|accept(?:ed|able)?|reject\w*|recommend\w*|by design|on purpose|"
    r"intentional\w*|deliberate\w*|"
    r"out of scope|in scope|option|prefer\w*"
)
REASON = _words(
    r"because|since|so that|due to|therefore|reason|hence|otherwise|which means|this means|that's why|in order to"
)
OPEN = _words(
    r"to-?do|fixme|later|pending|remain(?:s|ing)?|left to|still (?:to|need\w*|missing|open|fail\w*|broken)|"
    r"postpone\w*|defer\w*|"
    r"not (?:yet|run|tested|verified|implemented|done|covered|included|handled|finished|started|committed|"
    r"pushed|merged)|"
    r"un(?:tested|verified|finished|resolved|done|written|committed|pushed)|partial\w*|incomplete|blocked|"
    r"follow-?ups?|next steps?|"
    r"in progress|wip|would need|needs? to be|should be (?:added|tested|updated|documented|fixed|considered|"
    r"removed)|consider\w*|"
    r"future|tech(?:nical)? debt|skipp?ed|manual(?:ly)? (?:test|check|verif)\w*|haven't|hasn't|won't|missing|"
    r"no tests?|open question"
)
UNSURE = _words(
    r"might|maybe|perhaps|possibly|probably|likely|seems?|appears?|suspect\w*|hypothes\w+|assum\w+|unclear|"
    r"unsure|not sure|"
    r"estimat\w+|approximate\w*|roughly|could be|may be|i think|presumably|unconfirmed"
)
NEGATIVE = _words(
    r"not|no|never|none|nothing|without|cannot|can't|doesn't|don't|didn't|isn't|aren't|wasn't|won't|only|"
    r"fails?|failed|failing|"
    r"missing|absent|unable|unsupported|unavailable|nowhere|neither|lacks?|lost|instead"
)
RISK = _words(
    r"edge cases?|gaps?|risks?|limitations?|caveats?|bugs?|problems?|critical|concerns?|conflicts?|unless|"
    r"except|however|"
    r"race conditions?|security|vulnerab\w+|leak\w*|breaks?|breaking|broken|wrong|incorrect\w*|mismatch\w*|"
    r"inconsisten\w+|contradict\w*|"
    r"root cause|cause[sd]?|regression|warning|important|note|danger\w*|dead code|duplicat\w+|drops?|"
    r"overwrit\w+|silently"
)
MECHANISM = _words(
    r"returns?|calls?|called|uses?|used|stores?|stored|sets?|reads?|writes?|clears?|copies|computed?|created?|deleted?|"
    r"contains?|defined|lives?|located|comes from|goes to|depends? on|based on|happens?|runs?|handles?|"
    r"checks?|points? to|"
    r"falls? back|default(?:s|ed)?|exists?|already|holds?|tracks?|supports?|expects?|requires?|means|only"
)
LOCATION = re.compile(r"\blines? \d+|:\d{1,5}\b|\bin `[^`]+`|\([\w./-]+\.\w{1,5}\)|\b[\w-]+\.\w{1,4}\b")
NARRATION = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|now|good|great|perfect|alright|so|wait|hmm|yes|right|actually|next|first|then|also|"
    r"excellent|interesting)\b[,.!:— -]*)*"
    r"(?:let me|let's|i'll|i will|i'm going to|i am going to|i need to|i should|i can see|i have|i've|"
    r"we need to|now i|going to|"
    r"(?:looking|checking|reading|searching|running|starting|continuing|updating|adding|creating|fixing|moving) \w+)\b",
    re.IGNORECASE,
)
FINDING_LEAD = re.compile(
    r"^\W*(?:(?:good|great|perfect|ok(?:ay)?|so|wait|now)\b[,.!: -]*)*(?:i (?:found|see|notice|understand|"
    r"can see|discovered|confirmed)|found|"
    r"the (?:issue|problem|cause|root cause|reason|bug|fix|key|answer|difference|flow)|this (?:means|"
    r"is because|happens|explains)|it turns out|"
    r"looking at|confirmed|key (?:finding|insight|point)s?|important|note)\b",
    re.IGNORECASE,
)
REQUEST = _words(
    r"please|can you|could you|would you|i want|i need|i'd like|we need|let's|lets|add|fix|implement|change|"
    r"update|remove|"
    r"create|make|write|run|check|review|test|explain|use|investigate|refactor|document|commit|push|continue|look|show"
)
SUCCESS = _words(
    r"pass(?:es|ed|ing)?|succe\w+|works?|working|clean|green|complete[d]?|done|finished|fixed|resolved|verified|ok"
)
RESULT = _words(r"\d+ (?:pass\w*|fail\w*|errors?|warnings?|skipped|tests?)|passed|failed|error|exit code")


def names_of(**patterns: bool) -> tuple[str, ...]:
    """The names of the cues that fired."""
    return tuple(name for name, fired in patterns.items() if fired)
