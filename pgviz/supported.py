"""Whether pgviz can be installed here, said before anything is downloaded: `python3 pgviz/supported.py`.

Old versions of Python must be able to read this file: nothing newer than 3.6 in it.
What is supported is where torch 2.13.0 has a wheel, numpy and pandas allow the Python, and worker
processes can be forked: not on Windows itself, but in its Linux (WSL).
"""

import platform
import sys

FIRST, LAST = (3, 11), (3, 14)
MACOS = (14,)
GLIBC = (2, 28)


def fault(python: tuple, system: str, machine: str, libc: str = "", release: str = "") -> str:
    """What is missing, in one sentence; "" if nothing is.

    python is (major, minor), system that of `platform.system()`, libc "glibc" or something else,
    release the version of macOS or of glibc.
    """
    number = tuple(int(part) for part in release.split(".") if part.isdigit())
    if system == "Windows":
        return "pgviz does not run on Windows itself, but in its Linux: open WSL and start again there."
    if system not in ("Linux", "Darwin"):
        return f"pgviz runs on Linux and macOS, and this is {system}."
    if not FIRST <= python <= LAST:
        first, last, this = (".".join(map(str, x)) for x in (FIRST, LAST, python))
        return f"pgviz needs Python {first} to {last}, and this is Python {this}."
    if system == "Darwin" and (machine != "arm64" or number < MACOS):
        return (
            "pgviz needs macOS 14 or newer and Apple silicon, because PyTorch has no other wheel for"
            f" Macs, and this is macOS {release} on {machine}."
        )
    if system == "Linux" and machine not in ("x86_64", "aarch64"):
        return (
            "pgviz needs a processor of the kind x86_64 or aarch64, because PyTorch has no other"
            f" wheel for Linux, and this is {machine}."
        )
    if system == "Linux" and (libc != "glibc" or number < GLIBC):
        return (
            "pgviz needs a Linux with glibc 2.28 or newer, because PyTorch has no other wheel for"
            f" Linux, and this one has {' '.join((libc, release)).strip() or 'another libc'}."
        )
    return ""


def here() -> str:
    """What is missing on this machine."""
    libc, release = platform.libc_ver()
    if platform.system() == "Darwin":
        release = platform.mac_ver()[0]
    return fault(sys.version_info[:2], platform.system(), platform.machine(), libc, release)


if __name__ == "__main__":
    sys.exit(here() or None)
