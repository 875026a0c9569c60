"""Dotted names of wanted fields as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["Tree", "field_tree"]

_Branch = dict[str, "_Branch"]
Tree = Mapping[str, "Tree"]
"""The fields wanted: a leaf is empty and means everything below it."""


def field_tree(fields: Iterable[str]) -> Tree:
    """Return dotted names as a tree."""
    tree: _Branch = {}
    for name in sorted(fields, key=len, reverse=True):
        branch = tree
        *outer, last = name.split(".")
        for part in outer:
            branch = branch.setdefault(part, {})
        branch[last] = {}  # the whole of it, whatever was asked of its inside too
    return tree
