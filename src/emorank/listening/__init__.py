"""Listening: recordings are cut into segments, encoded once, and what the encoder gave is kept."""
