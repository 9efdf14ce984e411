"""The exercises solved: a file each, which needs NumPy only and from which the gaps are cut."""
