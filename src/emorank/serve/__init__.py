"""The HTTP API over a named index, and the page that uses it."""
