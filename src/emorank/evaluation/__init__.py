"""Measures of a model, as pure functions of embeddings and labels."""

from emorank.evaluation.ordinality import DescriptionList, Ordinality, description_lists, ordinality

__all__ = ["DescriptionList", "Ordinality", "description_lists", "ordinality"]
