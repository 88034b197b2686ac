"""Captions from any server that speaks the chat completions of OpenAI."""
