"""The recorder's own version: what it calls itself to the server, and the name of its wheel."""

VERSION = "0.1.0"
