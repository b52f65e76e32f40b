"""One file a kind of channel, each with `send`; and what they share."""
