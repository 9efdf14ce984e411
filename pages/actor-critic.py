"""Actor-critic: what if an estimate replaces the future rewards?"""

from pgviz.ui.walk import walk

walk("actor-critic")
