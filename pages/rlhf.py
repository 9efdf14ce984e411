"""RLHF: what is the environment when the agent writes text?"""

from pgviz.ui.walk import walk

walk("rlhf")
