"""Home: what will I be able to do?"""

from pgviz.ui.walk import walk

walk("home")
