"""Runs: configurations become recordings, in worker processes. Knows no Streamlit."""

from pgviz.runs.recording import Recording, RecordingError
from pgviz.runs.registry import Busy, Run, Runs

__all__ = ["Busy", "Recording", "RecordingError", "Run", "Runs"]
