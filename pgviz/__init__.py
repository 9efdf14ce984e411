"""pgviz: policy gradients you can run, rewind and measure.

import pgviz

for update in pgviz.train(pgviz.presets["reinforce"]):
    print(update.index, update.metrics["episode_return"].mean())
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgviz.training import Config, Update, presets, train

__all__ = ["Config", "Update", "presets", "train"]


def __getattr__(name: str) -> Any:
    """Import training, and torch with it, only when it is asked for."""
    if name in __all__:
        from pgviz import training

        return getattr(training, name)
    raise AttributeError(f"module 'pgviz' has no attribute {name!r}")
