"""A support desk that works through its tickets, with and without compaction, against a local Messages API."""
