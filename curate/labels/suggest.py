"""Suggest groups of labels from what they mean and which of them are mixed up, for a person to edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from curate.labels.registry import Task

GRAMS = (1, 2, 3)
CONFUSED = 0.5
"""Weight of confusion beside meaning, where both are known."""


def suggest(task: Task, groups: int, confusions: Iterable[tuple[str, str]] = ()) -> list[list[str]]:
    """Put the labels of a task into groups.

    Average linkage over the similarity of names and descriptions (cosine of weighted character n-grams) and, where
    predictions are given, over how often two labels are taken for each other.

    Args:
        task: The labels.
        groups: How many groups.
        confusions: Pairs of gold label and predicted label; equal ones say nothing.

    Returns:
        Labels by group, in prompt order.
    """
    names = list(task.names)
    likeness = _meaning([f"{label.name} {label.name} {label.description}" for label in task.labels])
    mixed = _mixed_up(names, task, confusions)
    if mixed.any():
        likeness = (1 - CONFUSED) * likeness + CONFUSED * mixed
    clusters = [[number] for number in range(len(names))]
    while len(clusters) > max(1, groups):
        one, two = max(
            ((a, b) for a in range(len(clusters)) for b in range(a + 1, len(clusters))),
            key=lambda pair: (likeness[np.ix_(clusters[pair[0]], clusters[pair[1]])].mean(), -pair[0], -pair[1]),
        )
        clusters[one] = sorted(clusters[one] + clusters.pop(two))
    return [[names[number] for number in cluster] for cluster in sorted(clusters)]


def _meaning(texts: list[str]) -> npt.NDArray[np.float64]:
    """Cosine similarity of character n-grams, each weighted by how few texts have it."""
    counted = [
        Counter(text[start : start + size] for size in GRAMS for start in range(len(text) - size + 1)) for text in texts
    ]
    having = Counter(gram for grams in counted for gram in grams)
    places = {gram: place for place, gram in enumerate(sorted(having))}
    vectors = np.zeros((len(texts), len(places)))
    for row, grams in enumerate(counted):
        for gram, times in grams.items():
            vectors[row, places[gram]] = times * np.log((1 + len(texts)) / (1 + having[gram]))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1)
    likeness: npt.NDArray[np.float64] = vectors @ vectors.T
    return likeness


def _mixed_up(names: list[str], task: Task, confusions: Iterable[tuple[str, str]]) -> npt.NDArray[np.float64]:
    """How often two labels are taken for each other, as a share of the most frequent mistake."""
    places = {name: place for place, name in enumerate(names)}
    mixed = np.zeros((len(names), len(names)))
    for gold, predicted in confusions:
        one, two = (places.get(task.canonical.get(label, "")) for label in (gold, predicted))
        if one is not None and two is not None and one != two:
            mixed[one, two] += 1
            mixed[two, one] += 1
    return mixed / mixed.max() if mixed.any() else mixed
