"""Measures of a model, as pure functions of embeddings and labels, and the report of all of them."""
