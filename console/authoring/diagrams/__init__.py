"""Workflows as diagrams: the steps of one in words, and the path of a run through it."""

from console.authoring.diagrams.drawing import draw
from console.authoring.diagrams.paths import Picture, Shown, path, picture_of, show, versions_of
from console.authoring.diagrams.step_nodes import Node
