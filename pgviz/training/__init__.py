"""Training: a configuration goes in, a stream of updates comes out."""

from typing import TYPE_CHECKING, Any

from pgviz.training.config import Config, ConfigError, presets, with_settings

if TYPE_CHECKING:
    from pgviz.training.loop import METRICS, Update, train

__all__ = ["METRICS", "Config", "ConfigError", "Update", "presets", "train", "with_settings"]


def __getattr__(name: str) -> Any:
    """Import the loop, and torch with it, only when it is asked for."""
    if name in __all__:
        from pgviz.training import loop

        return getattr(loop, name)
    raise AttributeError(f"module 'pgviz.training' has no attribute {name!r}")
