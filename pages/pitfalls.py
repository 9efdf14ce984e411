"""Pitfalls: it runs but does not learn. Which line?"""

from pgviz.ui.walk import walk

walk("pitfalls")
