"""The documentation under Help: its pages, their pictures and their search."""
