"""Lecture: how do I show this to a room?"""

from pgviz.ui.walk import walk

walk("lecture")
