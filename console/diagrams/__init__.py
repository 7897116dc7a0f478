"""Workflows as diagrams: the steps of one in words, and the path of a run through it."""

from console.diagrams.paths import Picture, Shown, path, picture_of, show
from console.diagrams.step_nodes import Node
from console.diagrams.thumbnails import Thumbnail, thumbnail
