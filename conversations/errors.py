"""Our exception hierarchy: services raise these, the edges translate them, nothing else is caught.

ObservatoryError
├── BadInput            the sender can mend it
│   ├── UnknownFormat
│   ├── TooLarge
│   └── BadEvent
├── Refused             allowed to nobody, or not to this sender
│   ├── Conflict        changed by somebody else, or in another tab, in the meantime
│   └── OverRate
└── Unavailable         ours to mend; trying again later helps
"""


class ObservatoryError(Exception):
    """Something a person should read. `code` is for programs, the message is for people, `mend` says what to do."""

    code = "error"

    def __init__(self, message: str, *, mend: str = "", at: str = "") -> None:
        super().__init__(message)
        self.message, self.mend, self.at = message, mend, at


class BadInput(ObservatoryError):
    """The sender can mend it."""

    code = "bad_input"


class UnknownFormat(BadInput):
    """The bytes are of no format we read."""

    code = "unknown_format"


class TooLarge(BadInput):
    """Body, event, depth or compression ratio over its limit."""

    code = "too_large"


class BadEvent(BadInput):
    """One event cannot be taken."""

    code = "bad_event"


class Refused(ObservatoryError):
    """Not allowed."""

    code = "refused"


class Conflict(Refused):
    """What was to be changed is no longer as the sender saw it; `newer` is what it is now."""

    code = "conflict"

    def __init__(self, message: str, *, newer: object, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.newer = newer


class OverRate(Refused):
    """Too many requests for this key; `retry_after` seconds from now there is room again."""

    code = "over_rate"
    retry_after = 1


class Unavailable(ObservatoryError):
    """Ours to mend."""

    code = "unavailable"
