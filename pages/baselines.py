"""Baselines: what can I subtract without changing the gradient?"""

from pgviz.ui.walk import walk

walk("baselines")
