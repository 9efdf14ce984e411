"""GAE: how much should I trust my critic?"""

from pgviz.ui.walk import walk

walk("gae")
