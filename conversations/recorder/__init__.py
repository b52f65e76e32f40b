"""The recorder: model calls of an agent, told to an Observatory. Standard library only, nothing of the server's."""

from .labels import conversation
from .limits import Counts, Limits
from .observing import counts, flush, observe
from .version import VERSION

__version__ = VERSION

__all__ = ["Counts", "Limits", "__version__", "conversation", "counts", "flush", "observe"]
