"""Scores of predictions: the challenge's weighted F1 exactly, with intervals, comparisons and what went wrong."""
