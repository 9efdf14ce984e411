"""Worlds to act in: finite ones that are known exactly, and CartPole."""

from pgviz.worlds.files import load_world, world_document
from pgviz.worlds.gymnasium_tables import from_gymnasium
from pgviz.worlds.tabular import TabularMDP, WorldError

__all__ = ["TabularMDP", "WorldError", "from_gymnasium", "load_world", "world_document"]
