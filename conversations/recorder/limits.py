"""How much the recorder may take of the agent's machine, and how patient it is."""

from dataclasses import dataclass, field, fields

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. What is over a bound goes oldest first: later requests carry its history."""

    buffer_bytes: int = 64 * MIB  # in memory, before it is sent
    buffer_count: int = 10_000
    batch_bytes: int = 4 * MIB  # of one POST, before it is compressed; the server takes 20 MB
    batch_count: int = 100
    linger: float = 1.0  # how long the first of a batch waits for company
    first_pause: float = 0.5  # after a failure; doubles with each further one
    longest_pause: float = 60.0
    wrong_pause: float = 300.0  # when the address or the key is wrong
    spill_bytes: int = 256 * MIB  # on disk, compressed, while the server is away
    exit_seconds: float = 2.0  # how long the end of the program may be held up
    timeout: float = 10.0  # of one request


@dataclass(slots=True)
class Counts:
    """What became of the exchanges, since the process began. Nothing is lost without being counted here."""

    accepted: int = 0  # taken from the client
    delivered: int = 0  # stored by the server; what it knew already included
    rejected: int = 0  # the server could not read them
    unreadable: int = 0  # we could not
    dropped: int = 0  # over a bound of buffer or disk
    reasons: dict[str, int] = field(default_factory=dict)  # of `rejected`, by the server's code

    def __add__(self, other: "Counts") -> "Counts":
        names = [one.name for one in fields(self) if one.name != "reasons"]
        total = Counts(**{name: getattr(self, name) + getattr(other, name) for name in names})
        for reasons in (self.reasons, other.reasons):
            for code, count in reasons.items():
                total.reasons[code] = total.reasons.get(code, 0) + count
        return total
