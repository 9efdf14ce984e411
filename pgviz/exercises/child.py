"""The other end of the sandbox: it loads a learner's file and answers calls of its functions.

`sandbox` starts this file by its path in a process of its own, so it stands alone: NumPy and the
standard library. A request and its answer are one line of JSON each. What goes wrong in the
learner's code comes back as one sentence that names their line; a traceback never does.
"""

import ast
import base64
import copy
import inspect
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, TracebackType
from typing import Any, NoReturn

import numpy as np

LARGEST_ANSWER = 1_000_000  # numbers
BROKEN = 70  # the exit status of a process that could not answer any more
LONGEST_MESSAGE = 200  # letters of what an exception says


class NotAllowed(PermissionError):
    """What an exercise has no need of: the network, other processes, other people's files."""


class TimeUp(BaseException):
    """The time of the whole check is over, and the learner's code was still running."""


def encode(value: Any) -> Any:
    """Numbers, arrays and lists of them as JSON; arrays keep every bit."""
    if isinstance(value, np.ndarray):
        text = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"dtype": value.dtype.str, "shape": list(value.shape), "data": text}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def decode(value: Any) -> Any:
    """The inverse of `encode`; tuples come back as lists."""
    if isinstance(value, dict):
        numbers = np.frombuffer(base64.b64decode(value["data"]), np.dtype(value["dtype"]))
        return numbers.reshape(value["shape"]).copy()
    return [decode(item) for item in value] if isinstance(value, list) else value


def load(source: str, filename: str) -> tuple[dict[str, Any], str]:
    """What the file defines, and the sentence that says why it could not be run, or ""."""
    module = ModuleType("exercise")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    namespace = vars(module)
    try:
        try:
            tree = ast.parse(source, filename)
        except (MemoryError, RecursionError):
            return {}, f"{filename} is not Python that can be read: it is nested too deeply."
        gaps = gap_lines(tree)
        if gaps:
            lines = "line" if len(gaps) == 1 else "lines"
            where = ", ".join(map(str, gaps))
            return {}, f"There are still gaps to fill in: {lines} {where} of {filename}."
        exec(compile(tree, filename, "exec"), namespace)
    except SyntaxError as error:
        where = "" if error.lineno is None else f"Line {error.lineno} of "
        return {}, f"{where}{filename} is not Python: {error.msg}."
    except BaseException as error:
        return {}, what_happened(error, filename, "")
    return namespace, ""


def gap_lines(tree: ast.Module) -> list[int]:
    """The lines whose statement is, or assigns, nothing but `...`."""
    return sorted(
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return)
        and isinstance(node.value, ast.Constant)
        and node.value.value is ...
    )


def evaluate(
    namespace: dict[str, Any], filename: str, name: str, arguments: list[Any]
) -> dict[str, Any]:
    """Call a function of the learner's: {"value", "changed"} or {"fault": one sentence}.

    `changed` holds the numbers of the arguments that the call wrote into; it gets copies. A fault
    that the function raised has "raised", and one that came with the end of the time "late".
    """
    if name not in namespace:
        return {"fault": f"The function {name} is missing in {filename}."}
    function = namespace[name]
    if not callable(function):
        return {"fault": f"{name} in {filename} is no function, but {a_kind_of(function)}."}
    given = copy.deepcopy(arguments)
    try:
        try:
            inspect.signature(function).bind(*given)
        except TypeError as error:
            return {"fault": f"{name} takes other arguments than its contract: {error}."}
        result = function(*given)
        if result is None:
            return {"fault": f"{name} returns None: its last line may lack a return."}
        value = as_numbers(result)
        changed = [i for i, now in enumerate(given) if not same(now, arguments[i])]
    except TimeUp as error:
        return {"fault": what_happened(error, filename, name), "late": True}
    except BaseException as error:
        return {"fault": what_happened(error, filename, name), "raised": True}
    if value is None:
        return {"fault": f"{name} must return numbers, but returns {a_kind_of(result)}."}
    return {"value": value, "changed": changed}


def same(now: Any, before: Any) -> bool:
    """Whether an argument is what it was."""
    if isinstance(before, list | tuple):
        return len(now) == len(before) and all(map(same, now, before))
    return np.array_equal(now, before, equal_nan=True)


def as_numbers(result: Any) -> np.ndarray | None:
    """The answer as an array of float64; None if it is something else than real numbers."""
    try:
        array = np.asarray(result)
    except ValueError:  # rows of unequal length
        return None
    if array.dtype.kind not in "fiub" or array.size > LARGEST_ANSWER:
        return None
    return array.astype(np.float64)


def a_kind_of(value: Any) -> str:
    """a str, an ndarray of objects …"""
    kind = type(value).__name__
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def what_happened(error: BaseException, filename: str, function: str) -> str:
    """An exception of the learner's code in one sentence, with the line in their file."""
    line = last_line(error.__traceback__, filename)
    place = f"Line {line} of {filename}" if line else function or filename
    if isinstance(error, TimeUp):
        return f"{place} was still running when the time was up: is there a loop without an end?"
    refused = refusal_in(error)
    if refused is not None:
        return f"{place} {refused}, which an exercise may not."
    if isinstance(error, RecursionError):
        return f"{place} calls itself without an end."
    if isinstance(error, MemoryError):
        return f"{place} needs more memory than an exercise may have."
    if isinstance(error, SystemExit):
        return f"{place} ends Python with exit: a function of an exercise returns instead."
    kind = type(error).__name__
    try:
        message = " ".join(str(error).split())
    except BaseException:  # a learner's own exception may fail here as well
        message = ""
    if len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE] + " …"
    return f"{place} raises {kind}{': ' if message else ''}{message}."


def refusal_in(error: BaseException | None) -> NotAllowed | None:
    """What was refused, even if a library has made an error of its own of it."""
    for _ in range(10):
        if error is None or isinstance(error, NotAllowed):
            return error
        error = error.__cause__ or error.__context__
    return None


def last_line(traceback: TracebackType | None, filename: str) -> int | None:
    """The innermost line of the learner's file that was being executed."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


# What follows runs in the process of the sandbox only.

NEVER = {
    "socket.": "uses the network",
    "ctypes.": "uses ctypes, as torch does",
    "subprocess.": "starts another program",
    "os.system": "starts another program",
    "os.exec": "starts another program",
    "os.spawn": "starts another program",
    "os.posix_spawn": "starts another program",
    "os.startfile": "starts another program",
    "os.fork": "starts another process",
    "pty.spawn": "starts another process",
    "os.kill": "sends a signal to a process",
    "signal.pthread_kill": "sends a signal",
    "webbrowser.": "opens a browser",
}
CHANGES_FILES = {
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link",
    "os.symlink", "os.truncate", "os.utime", "os.setxattr", "os.removexattr", "os.chflags",
}  # fmt: skip
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def guard(folder: str) -> None:
    """From here on the network, new processes, and files outside `folder` are refused.

    It keeps mistakes from doing harm. It is no prison for code that is meant to break out.
    """
    home = os.path.realpath(folder)

    def outside(path: Any) -> bool:
        if isinstance(path, int):
            return False
        try:
            real = os.path.realpath(os.fsdecode(path))
        except (TypeError, ValueError):
            return True
        return real != os.devnull and os.path.commonpath([home, real]) != home

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & WRITES and outside(path):
                raise NotAllowed("writes to a file outside its own folder")
        elif event in CHANGES_FILES:
            paths = [path for path in arguments if isinstance(path, str | bytes | os.PathLike)]
            fixed = [number for number in arguments[1:] if isinstance(number, int)]
            if any(map(outside, paths)) or (event in ("os.remove", "os.rmdir") and fixed != [-1]):
                raise NotAllowed("changes or deletes a file outside its own folder")
        else:
            for start, deed in NEVER.items():
                if event.startswith(start):
                    raise NotAllowed(deed)

    def no_process(*_: Any) -> NoReturn:
        raise NotAllowed("starts another process")

    try:
        import _posixsubprocess
    except ImportError:
        pass
    else:  # it is the one way to a process that no audit event announces
        _posixsubprocess.fork_exec = no_process
    sys.addaudithook(hook)


def limit(limits: dict[str, int]) -> None:
    """What the system limits where it can; Windows has no `resource`."""
    try:
        import resource
    except ImportError:
        return
    for name, most in limits.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        try:
            _, hard = resource.getrlimit(number)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(number, (most, most))
        except (OSError, ValueError):  # macOS knows some limits by name only
            continue


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Raise TimeUp in the learner's code at the deadline, so that its line can be named."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: Any) -> NoReturn:
        raise TimeUp

    try:
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 0.01))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Answer requests until there are no more.

    Answers go out by a copy of the standard output, which itself becomes the standard error: what
    the learner's code prints cannot get between them.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

    def answer(nonce: str, **content: Any) -> None:
        answers.write(json.dumps({"nonce": nonce, **content}).encode() + b"\n")
        answers.flush()

    first = json.loads(requests.readline())
    sys.path[:] = first["path"]
    deadline = time.monotonic() + first["seconds"]
    limit(first["limits"])
    guard(first["folder"])
    filename = first["filename"]
    with until(deadline):
        namespace, fault = load(first["source"], filename)
    answer(first["nonce"], **({"fault": fault} if fault else {}))
    for line in requests:
        request = json.loads(line)
        try:
            with until(deadline):
                found = evaluate(namespace, filename, request["name"], decode(request["arguments"]))
        except TimeUp as error:
            found = {"fault": what_happened(error, filename, request["name"])}
        if "value" in found:
            found["value"] = encode(found["value"])
        answer(request["nonce"], **found)


if __name__ == "__main__":
    try:
        main()
    except BaseException:  # the learner's code has changed Python under this one
        os._exit(BROKEN)
    os._exit(0)
