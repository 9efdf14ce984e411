"""Derivations as lines that can be run, and reading them out."""
