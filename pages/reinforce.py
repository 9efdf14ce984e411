"""REINFORCE: how do samples become a gradient?"""

from pgviz.ui.walk import walk

walk("reinforce")
