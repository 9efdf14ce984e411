"""What was found: one row for each kind of hostile input."""

from dataclasses import dataclass, field
from statistics import median, quantiles

import click


@dataclass
class Found:
    """What became of so many inputs. Every fault says which input it was, and what happened."""

    kind: str
    number: int = 0
    refused: int = 0  # with a sentence
    tracebacks: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    live: list[str] = field(
        default_factory=list
    )  # HTML, links, pictures, letters that a terminal obeys
    memory: list[str] = field(default_factory=list)  # beyond its limit
    bytes_before: int = 0
    bytes_after: int = 0
    bytes_peak: int = 0
    latencies_s: list[float] = field(default_factory=list)  # of the innocent tab
    seconds: float = 0.0

    @property
    def faults(self) -> list[str]:
        """All of them."""
        return [*self.tracebacks, *self.hangs, *self.live, *self.memory]


COLUMNS = (
    "kind", "inputs", "refused with a sentence", "tracebacks", "hangs", "live", "too much memory",
    "MB before / after / peak", "innocent tab p50 / p95 / max, s", "minutes",
)  # fmt: skip


def heading() -> str:
    return f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"


def row(found: Found) -> str:
    megabytes = (found.bytes_before, found.bytes_after, found.bytes_peak)
    cells = (
        found.kind, f"{found.number:,}", f"{found.refused:,}", len(found.tracebacks), len(found.hangs),
        len(found.live), len(found.memory),
        " / ".join(f"{number / 1e6:.0f}" for number in megabytes) if any(megabytes) else "–",
        _latency(found.latencies_s), f"{found.seconds / 60:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def tell(found: Found, most: int = 40) -> None:
    """Every fault once, on stderr."""
    for fault in [*dict.fromkeys(found.faults)][:most]:
        click.echo(f"{found.kind}: {fault}", err=True)


def _latency(values: list[float]) -> str:
    if len(values) < 2:
        return "–"
    p95 = quantiles(values, n=20, method="inclusive")[-1]
    return f"{median(values):.2f} / {p95:.2f} / {max(values):.2f} ({len(values)} views)"
