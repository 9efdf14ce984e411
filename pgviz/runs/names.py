"""How a run is named: by its configuration, and by what will compute and record it."""

import hashlib
import json
from dataclasses import asdict
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from pgviz.runs.recording import FORMAT
from pgviz.training.config import Config

PACKAGE = Path(__file__).parents[1]
# What decides the numbers of a run; the tests hold it against what training imports.
ENGINE = (
    "__init__.py",
    "estimators.py",
    "shapes.py",
    "networks.py",
    "policies.py",
    "exact/__init__.py",
    "exact/many.py",
    "training",
    "worlds",
)
_LIBRARIES = ("numpy", "torch", "gymnasium")


def run_key(config: Config) -> str:
    """The name of a run: a hash of its configuration and of what will compute and record it."""
    return _run_key(config, code_version())


@lru_cache(10_000)
def _run_key(config: Config, version: str) -> str:
    kind = type(config).__name__
    text = json.dumps([kind, asdict(config), version, FORMAT], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_version() -> str:
    """A hash of the engine's sources and of the libraries it computes with."""
    digest = hashlib.sha256(" ".join(map(version, _LIBRARIES)).encode())
    for entry in ENGINE:
        path = PACKAGE / entry
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
