"""Workflows as pictures: which there are, what each step does in words, and the path that a run took."""

from console.diagrams.paths import Node, Picture, Shown, listed, path, picture_of, show

__all__ = ["Node", "Picture", "Shown", "listed", "path", "picture_of", "show"]
