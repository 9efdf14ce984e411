"""The theorem: the reward has no derivative, so what do we differentiate?"""

from pgviz.ui.walk import walk

walk("theorem")
