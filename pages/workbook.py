"""Workbook: can I do it myself?"""

from pgviz.ui.walk import walk

walk("workbook")
