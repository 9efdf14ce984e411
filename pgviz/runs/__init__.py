"""Runs: configurations become recordings, in worker processes. Knows no Streamlit."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgviz.runs.recording import Recording, RecordingError
    from pgviz.runs.registry import Busy, Run, Runs

__all__ = ["Busy", "Recording", "RecordingError", "Run", "Runs"]


def __getattr__(name: str) -> Any:
    """Import the registry, and the engine with it, only when it is asked for."""
    if name in __all__:
        from pgviz.runs import recording, registry

        return getattr(registry if hasattr(registry, name) else recording, name)
    raise AttributeError(f"module 'pgviz.runs' has no attribute {name!r}")
