"""What a room sees when something breaks: python -m tests.faults [NAME …]

Each fault is the real thing, done to a real server with two visitors: the one whom it hits, and
one who has nothing to do with it. A row says what each of them sees and what is left on the disk.
Without names all are done, which takes some minutes. What is not as it should be is said in its row.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

import click
import psutil
from playwright.async_api import Browser, Page, async_playwright, expect

from pgviz.lessons import page_of
from pgviz.lessons.reinforce.recorded import LEARN
from pgviz.runs.recording import Recording, RecordingError, checked
from pgviz.training.config import Config
from tests import real
from tests.load.tab import LoadError, Tab
from tests.real import REPO, Group, Missing, chromium_options

T = TypeVar("T")

PATIENCE_S = 60.0  # whoever needs them has failed
PATIENCE_MS = 1000 * PATIENCE_S
PAGE, STEP = "reinforce", "run"
KEY = f"again.{PAGE}-{STEP}"
GUESSED = "theorem"
GUESS = page_of(GUESSED).steps[0]


@dataclass(frozen=True)
class Seen:
    """What a fault did: a row of the table."""

    victim: str
    bystander: str
    remains: str


# --- a server, its processes and its folder ---


class Server(real.Server):
    """`with Server(folder) as server:` records in this folder; it ends with all its processes."""

    def __init__(self, folder: Path, under: Sequence[str] = (), **environment: str) -> None:
        super().__init__(under=under, PGVIZ_RUNS=str(folder), **environment)
        self.folder = folder
        self._all: set[psutil.Process] = set()

    def __exit__(self, *_: object) -> None:
        for process in self.family():
            with suppress(psutil.Error):
                process.kill()
        super().__exit__()

    def family(self) -> set[psutil.Process]:
        """The server's process and all that it ever started, as far as they are alive."""
        with suppress(psutil.Error):
            server = psutil.Process(self.process.pid)
            self._all |= {server, *server.children(recursive=True)}
        return {process for process in self._all if alive(process)}

    def workers(self) -> set[psutil.Process]:
        """Those that train or wait for something to train: children of the fork server."""
        (parent,) = self.fork_servers()
        return set(parent.children())

    def fork_servers(self) -> list[psutil.Process]:
        found = psutil.Process(self.process.pid).children()
        return [each for each in found if "forkserver" in " ".join(each.cmdline())]

    def trainer(self, config: Config) -> psutil.Process | None:
        """The process that has a recording of this configuration open."""
        for process in self.family():
            with suppress(OSError):  # it ends, or closes one of them
                for file in Path(f"/proc/{process.pid}/fd").iterdir():
                    path = self.folder / Path(os.readlink(file)).name  # it may see another disk
                    if path.suffix == ".run" and self._is(path, config):
                        return process
        return None

    @staticmethod
    def _is(path: Path, config: Config) -> bool:
        with suppress(RecordingError):
            return Recording(path).config == config
        return False


def alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and that nobody asked for does not."""
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def whole(folder: Path, config: Config) -> bool:
    """Whether a finished recording of this configuration lies there, with its checksum."""
    for done in folder.glob("*.done"):
        with suppress(RecordingError, OSError):
            checked(done.with_suffix(".run"), config)
            return True
    return False


def stray(folder: Path) -> list[str]:
    """What a run under way has beside its recording."""
    return sorted(path.name for path in [*folder.glob("*.new"), *folder.glob("*.stop")])


def halves(folder: Path) -> list[str]:
    """Recordings that are not finished."""
    done = {path.stem for path in folder.glob("*.done")}
    return sorted(path.name for path in folder.glob("*.run") if path.stem not in done)


async def until(condition: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """Wait until it holds, whatever it is; what it was then."""
    give_up = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < give_up, "it never happened"
        await asyncio.sleep(0.05)
    return found


# --- visitors ---


class Visitor(Tab):
    """A tab that trains with settings of its own."""

    async def begin(self, num_envs: int, learning_rate: float) -> Config:
        """Ask for a run; what it is."""
        settings = f"num_envs={num_envs}&learning_rate={learning_rate}"
        await self.visit(PAGE, STEP, settings)
        await self.press(f"{KEY}.run")
        return LEARN.replace(num_envs=num_envs, learning_rate=learning_rate)

    async def ended(self) -> None:
        """Wait until its run has ended, however it ended."""
        await self.until(lambda: self._settled and self.has(f"{KEY}.back") and not self.polls)

    async def closed(self) -> None:
        """Wait until the server has gone."""
        await self._listener

    async def try_again(self) -> None:
        """Press what stands beside the sentence, and wait for the run's end."""
        self.errors.clear()
        (key,) = (key for key in self.buttons if key.startswith("again-1-"))
        await self.press(key)
        await self.until(lambda: not self.has(key))
        await self.ended()

    @property
    def sentence(self) -> str:
        """What it was told: exactly one thing."""
        (told,) = set(self.errors)
        assert "\n" not in told, told
        return told


async def hold(server: Server, config: Config) -> psutil.Process:
    """Wait until a worker trains it, and keep the worker from going on."""
    worker = await until(lambda: server.trainer(config))
    worker.suspend()
    return worker


# --- the faults ---


@dataclass
class Place:
    """Where a fault happens: an empty folder, and a server that faults share."""

    folder: Path
    stack: ExitStack
    _shared: Server | None = field(default=None, repr=False)

    def shared(self) -> Server:
        if self._shared is None:
            self._shared = self.stack.enter_context(
                Server(self.folder / "shared", PGVIZ_GRACE_S="0.5")
            )
        for path in self._shared.folder.glob("*"):
            path.unlink()  # each fault begins without recordings
        return self._shared

    def runs(self) -> Path:
        """A folder for a server of one's own."""
        return Path(tempfile.mkdtemp(dir=self.folder))


async def worker_killed(place: Place) -> Seen:
    server = place.shared()
    async with Visitor(server.url) as ann, Visitor(server.url) as bob:
        hers, his = await ann.begin(32, 0.002), await bob.begin(16, 0.002)
        goes_on = await hold(server, his)
        (await hold(server, hers)).kill()
        await ann.ended()
        told = ann.sentence
        goes_on.resume()
        await bystander_ends(server, bob, his)
        await ann.try_again()
        assert whole(server.folder, hers)
        return Seen(told, "its run ends, whole", left(server))


async def all_workers_killed(place: Place) -> Seen:
    server = place.shared()
    return await _all_killed(server, server.workers)


async def fork_server_killed(place: Place) -> Seen:
    server = place.shared()
    return await _all_killed(server, lambda: {*server.fork_servers(), *server.workers()})


async def _all_killed(server: Server, victims: Callable[[], set[psutil.Process]]) -> Seen:
    """Bob looks at a run that has finished."""
    async with Visitor(server.url) as ann, Visitor(server.url) as bob:
        his = await bob.begin(1, 0.002)
        await bystander_ends(server, bob, his)
        hers = await ann.begin(32, 0.002)
        await hold(server, hers)
        for process in victims():
            process.kill()
        await ann.ended()
        told = ann.sentence
        await ann.try_again()
        assert whole(server.folder, hers)
        again = await bob.begin(2, 0.002)
        await bystander_ends(server, bob, again)
        assert whole(server.folder, his)
        return Seen(told, "its finished run stays; the next one ends, whole", left(server))


async def beyond_memory(place: Place) -> Seen:
    """The limit of one worker is drawn in until it has nothing left."""
    server = place.shared()
    async with Visitor(server.url) as ann, Visitor(server.url) as bob:
        hers, his = await ann.begin(32, 0.002), await bob.begin(16, 0.002)
        goes_on, victim = await hold(server, his), await hold(server, hers)
        given = victim.rlimit(psutil.RLIMIT_DATA)
        taken = victim.memory_info().data
        if given[0] == psutil.RLIM_INFINITY:
            raise AssertionError("a worker may take all the memory that there is")
        victim.rlimit(psutil.RLIMIT_DATA, (taken // 2, given[1]))
        victim.resume()
        await ann.ended()
        told = ann.sentence
        goes_on.resume()
        await bystander_ends(server, bob, his)
        victim.rlimit(psutil.RLIMIT_DATA, given)
        await ann.try_again()
        assert whole(server.folder, hers)
        return Seen(told, "its run ends, whole", left(server))


async def no_memory_left(place: Place) -> Seen:
    """The system then kills a process of its own choice: the largest one is the server."""
    with Group() as group, Server(place.runs(), group.under) as server:
        async with Visitor(server.url) as ann, Visitor(server.url) as bob:
            his = await bob.begin(1, 0.002)
            await bystander_ends(server, bob, his)
            group.limit(group.used_bytes + 2**23)
            hers = await ann.begin(32, 0.002)
            await ann.ended()
            told = ann.sentence
            group.limit(None)
            await bob.visit(PAGE, STEP)
            await bystander_ends(server, bob, his)
            await ann.try_again()
            assert whole(server.folder, hers)
            return Seen(told, "its finished run stays", left(server))


async def tab_closed(place: Place) -> Seen:
    server = place.shared()
    async with Visitor(server.url) as bob:
        async with Visitor(server.url) as ann:
            hers, his = await ann.begin(32, 0.002), await bob.begin(16, 0.002)
            goes_on, trains = await hold(server, his), await hold(server, hers)
        await until(lambda: not alive(trains) or [*server.folder.glob("*.stop")])
        trains.resume()
        goes_on.resume()
        await bystander_ends(server, bob, his)
        await until(lambda: not server.trainer(hers))
        assert not whole(server.folder, hers)
        return Seen("nothing: its run stops", "its run ends, whole", left(server))


async def terminated(place: Place) -> Seen:
    """After a run that failed and was tried again."""
    return await _ended(place, lambda server: server.process.terminate(), tidy=True, failed=True)


async def interrupted(place: Place) -> Seen:
    def at_the_terminal(server: Server) -> None:
        os.killpg(server.process.pid, signal.SIGINT)

    return await _ended(place, at_the_terminal, tidy=True)


async def server_killed(place: Place) -> Seen:
    return await _ended(place, lambda server: server.process.kill(), tidy=False)


async def _ended(
    place: Place, end: Callable[[Server], None], tidy: bool, failed: bool = False
) -> Seen:
    """Ann's run is under way; Bob's has finished."""
    with Server(place.runs()) as server:
        async with Visitor(server.url) as ann, Visitor(server.url) as bob:
            his = await bob.begin(16, 0.002)
            if failed:
                (await hold(server, his)).kill()
                await bob.ended()
                await bob.try_again()
            await bystander_ends(server, bob, his)
            hers = await ann.begin(32, 0.002)
            await until(lambda: server.trainer(hers))
            family = server.family()
            assert len(family) >= 4  # workers, their fork server, a tracker of resources
            end(server)
            begun = time.monotonic()
            await until(lambda: not any(map(alive, family)))
            took = time.monotonic() - begun
            await ann.closed()
        assert whole(server.folder, his)
        assert not whole(server.folder, hers)
        remains = f"its recording, no process after {took:.1f} s"
        if tidy:
            assert "Traceback" not in server.said(), server.said()
            assert stray(server.folder) + halves(server.folder) == []
        else:
            remains += await _next_server(server.folder, his, hers)
        return Seen("the connection is closed", "the same; its finished run stays", remains)


async def _next_server(folder: Path, finished: Config, half: Config) -> str:
    """It shows what has finished at once, and takes nothing half for whole."""
    for path in folder.iterdir():
        long_ago = path.stat().st_mtime - 3600
        os.utime(path, (long_ago, long_ago))
    with Server(folder) as server:
        (before,) = folder.glob("*.done")
        async with Visitor(server.url) as bob:
            await bob.begin(finished.num_envs, finished.learning_rate)
            await bystander_ends(server, bob, finished)
            assert [*folder.glob("*.done")] == [before]
            await bob.begin(half.num_envs, half.learning_rate)
            await bystander_ends(server, bob, half)
        assert stray(folder) + halves(folder) == []
        return ", found by the next server an hour later"


def without_power() -> list[str]:
    """A command for a server to which permissions apply, although root starts it."""
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        raise Missing("no setpriv: permissions do not bind root")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def small_disk(folder: Path) -> list[str]:
    """A command for a server that finds a file system of 8 MB at this folder, and nobody else."""
    private = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    mount = f"mount -t tmpfs -o size=8m tmpfs '{folder}'"
    tried = subprocess.run([*private, "sh", "-c", mount], capture_output=True, text=True)
    if tried.returncode:
        raise Missing(f"no file system can be mounted: {tried.stderr.strip()}")
    return [*private, "sh", "-c", f'{mount} && exec "$@"', "sh"]


def seen_by(server: Server) -> Path:
    """Its folder, as it sees it."""
    return Path(f"/proc/{server.process.pid}/root{server.folder}")


async def disk_full(place: Place) -> Seen:
    folder = place.runs()
    with Server(folder, small_disk(folder)) as server:
        server.folder = seen_by(server)
        async with Visitor(server.url) as ann, Visitor(server.url) as bob:
            his = await bob.begin(1, 0.002)
            await bystander_ends(server, bob, his)
            filler = server.folder / "filler"
            with filler.open("wb", 0) as file, suppress(OSError):
                while True:
                    file.write(bytes(2**12))
            os.truncate(filler, filler.stat().st_size - 2**17)
            hers = await ann.begin(32, 0.002)
            await ann.ended()
            told = ann.sentence
            await bob.visit(PAGE, STEP)
            await bystander_ends(server, bob, his)
            filler.unlink()
            await ann.try_again()
            assert whole(server.folder, hers)
            assert halves(server.folder) == []
            return Seen(told, "its finished run stays", left(server))


async def folder_unwritable(place: Place) -> Seen:
    with Server(place.runs(), without_power()) as server:
        async with Visitor(server.url) as ann, Visitor(server.url) as bob:
            his = await bob.begin(1, 0.002)
            await bystander_ends(server, bob, his)
            hers = await ann.begin(32, 0.002)
            trains = await hold(server, hers)
            server.folder.chmod(0o555)
            try:
                trains.resume()
                await ann.ended()
                told = ann.sentence
                await bob.visit(PAGE, STEP)
                await bystander_ends(server, bob, his)
                await bob.begin(2, 0.002)
                await bob.ended()
                assert bob.sentence == told
            finally:
                server.folder.chmod(0o755)
            await ann.try_again()
            assert whole(server.folder, hers)
            return Seen(told, "its finished run stays; a new run says the same", left(server))


async def folder_deleted(place: Place) -> Seen:
    server = place.shared()
    async with Visitor(server.url) as ann, Visitor(server.url) as bob:
        hers, his = await ann.begin(32, 0.002), await bob.begin(16, 0.002)
        for worker in await hold(server, hers), await hold(server, his):
            worker.resume()
        shutil.rmtree(server.folder)
        await ann.ended()
        await bob.ended()
        told = ann.sentence
        assert bob.sentence == told
        await ann.try_again()
        await bob.try_again()
        assert whole(server.folder, hers)
        assert whole(server.folder, his)
        return Seen(told, "its run says the same; tried again, it ends, whole", left(server))


async def two_servers(place: Place) -> Seen:
    """On a disk with so little room that every start of a run deletes what nobody needs."""
    folder = place.runs()
    with ExitStack() as stack:
        try:
            one = stack.enter_context(Server(folder, small_disk(folder)))
            own = ["--user", "--preserve-credentials"] if os.geteuid() else []
            beside = ["nsenter", f"--target={one.process.pid}", "--mount", *own, f"--wd={REPO}"]
            other = stack.enter_context(Server(folder, beside))
            for server in one, other:
                server.folder = seen_by(server)
        except Missing:
            one, other = (stack.enter_context(Server(folder)) for _ in range(2))
        async with AsyncExitStack() as visitors:
            ann, bob, eve = [
                await visitors.enter_async_context(Visitor(server.url))
                for server in (one, other, other)
            ]
            his = await bob.begin(1, 0.002)
            await bystander_ends(other, bob, his)
            hers = await ann.begin(16, 0.002)
            trains = await hold(one, hers)
            both = await eve.begin(16, 0.002)  # the same as Ann's
            assert both == hers
            await bob.visit(PAGE, STEP)
            await bystander_ends(other, bob, his)
            goes_on = await bob.begin(2, 0.002)
            one.process.kill()
            trains.resume()
            await ann.closed()
            await bystander_ends(other, bob, goes_on)
            await bystander_ends(other, eve, hers)
            await until(lambda: not one.family())
            back = await visitors.enter_async_context(Visitor(other.url))
            await back.begin(16, 0.002)
            await bystander_ends(other, back, hers)
            return Seen("the connection is closed", "their runs end, whole", left(other))


CLOCK = """
import os, time
real = time.time
def shifted():
    try:
        with open(os.environ["CLOCK"]) as file:
            return real() + float(file.read() or 0)
    except OSError:
        return real()
time.time = shifted
time.time_ns = lambda: int(shifted() * 1e9)
"""


async def clock_set_back(place: Place) -> Seen:
    """By an hour, for this server alone: what it has written before then lies in the future."""
    folder, python = place.runs(), place.runs()
    (python / "sitecustomize.py").write_text(CLOCK)
    clock = python / "clock"
    with Server(folder, PYTHONPATH=str(python), CLOCK=str(clock)) as server:
        async with Visitor(server.url) as ann, Visitor(server.url) as bob:
            his = await bob.begin(1, 0.002)
            await bystander_ends(server, bob, his)
            hers = await ann.begin(16, 0.002)
            trains = await hold(server, hers)
            clock.write_text("-3600")
            for path in folder.iterdir():
                later = path.stat().st_mtime + 3600
                os.utime(path, (later, later))
            trains.resume()
            await bystander_ends(server, ann, hers)
            await bob.visit(PAGE, STEP)
            await bystander_ends(server, bob, his)
            again = await bob.begin(2, 0.002)
            await bystander_ends(server, bob, again)
            assert whole(folder, his)
            return Seen("nothing: its run ends, whole", "its finished run stays", left(server))


class Line:
    """`async with Line(port) as line:` is a line to a server that can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._flows.set()
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        self._hang_up()

    async def broken(self, seconds: float) -> None:
        """Every connection breaks, and each new one too."""
        self._broken = True
        self._hang_up()
        await asyncio.sleep(seconds)
        self._broken = False

    async def silent(self, seconds: float) -> None:
        """Nothing comes through, and nobody is told."""
        self._flows.clear()
        await asyncio.sleep(seconds)
        self._flows.set()

    _broken = False

    def _hang_up(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self._broken:
            back.transport.abort()
            return
        far, forth = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends |= {back, forth}
        await asyncio.gather(self._carry(near, forth), self._carry(far, back))
        self._ends -= {back, forth}

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(2**16):
                await self._flows.wait()
                to.write(data)
                await to.drain()
        to.close()


CUTS: tuple[Callable[[Line, float], Awaitable[None]], ...] = (Line.broken, Line.silent)


async def line_cut(place: Place) -> Seen:
    """Two browsers, whose lines are cut in two ways, for 2 s and then for 30 s, in mid-run."""
    with Server(place.runs()) as server:
        async with AsyncExitStack() as stack:
            browser = await stack.enter_async_context(a_browser())
            eve = await stack.enter_async_context(Visitor(server.url))
            lines = [await stack.enter_async_context(Line(server.port)) for _ in CUTS]
            pages = [await (await browser.new_context()).new_page() for _ in CUTS]
            configs = [LEARN.replace(num_envs=32, learning_rate=rate) for rate in (0.002, 0.005)]
            held = [
                await answer_and_begin(server, *each)
                for each in zip(pages, lines, configs, strict=True)
            ]
            for seconds in (2, 30):
                cuts = [cut(line, seconds) for cut, line in zip(CUTS, lines, strict=True)]
                await asyncio.gather(*cuts, eve.visit(PAGE, STEP, "num_envs=1"))
                for page in pages:
                    await as_it_was(page, "Your run, live.")
            assert eve.errors == []
            for worker in held:
                worker.resume()
            for page, config in zip(pages, configs, strict=True):
                await as_it_was(page, "Your run.")
                assert whole(server.folder, config)
                await page.get_by_role("link", name=page_of(GUESSED).title, exact=True).click()
                await expect(page.locator("h1")).to_have_text(GUESS.title, timeout=PATIENCE_MS)
            return Seen("nothing: its page is as it was, its run ends", "walks on", left(server))


async def answer_and_begin(
    server: Server, page: Page, line: Line, config: Config
) -> psutil.Process:
    """A question is answered, a control is moved, a run is under way; the worker that waits."""
    await page.goto(f"{line.url}/{GUESSED}?step={GUESS.slug}")
    await page.get_by_role("button", name="Lock it in").click(timeout=PATIENCE_MS)
    await expect(page.locator("h1")).to_have_text(GUESS.title, timeout=PATIENCE_MS)
    settings = f"num_envs={config.num_envs}&learning_rate={config.learning_rate}"
    await page.goto(f"{line.url}/{PAGE}?step={STEP}&{settings}")
    await page.get_by_text("4 seeds", exact=True).click(timeout=PATIENCE_MS)
    await expect(page.get_by_role("radio", name="4 seeds")).to_be_checked(timeout=PATIENCE_MS)
    await page.get_by_role("button", name="Run", exact=True).click(timeout=PATIENCE_MS)
    return await hold(server, config)


async def as_it_was(page: Page, says: str) -> None:
    """Connected, the control where it was moved to, and the run where it is."""
    there = "[data-testid=stApp][data-test-connection-state=CONNECTED]"
    await page.wait_for_selector(there, state="attached", timeout=PATIENCE_MS)
    await expect(page.get_by_text(says, exact=True)).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.get_by_role("radio", name="4 seeds")).to_be_checked(timeout=PATIENCE_MS)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_test_id("stAlert")).to_have_count(0)


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**chromium_options())
        yield browser
        await browser.close()


async def bystander_ends(server: Server, tab: Visitor, config: Config) -> None:
    """Its run goes on to its end, and it was told nothing."""
    await tab.ended()
    assert tab.errors == []
    assert whole(server.folder, config)


def left(server: Server) -> str:
    """What remains in the folder of a server that goes on, whose runs have all ended."""
    assert stray(server.folder) == []
    done = len([*server.folder.glob("*.done")])
    return f"{done} finished recordings, {len(halves(server.folder))} halves of failed runs"


@dataclass(frozen=True)
class Fault:
    name: str
    how: str
    make: Callable[[Place], Awaitable[Seen]]


FAULTS = (
    Fault("a worker is killed", "kill −9 in mid-run", worker_killed),
    Fault("all workers are killed at once", "kill −9 in mid-run", all_workers_killed),
    Fault("and the fork server with them", "kill −9 in mid-run", fork_server_killed),
    Fault("a run beyond its memory", "RLIMIT_DATA drawn in, mid-run", beyond_memory),
    Fault("the machine has no memory left", "a limit on its group, in mid-run", no_memory_left),
    Fault("a tab is closed", "its websocket, in mid-run", tab_closed),
    Fault("the line is cut", "2 s and 30 s, broken and silent, in mid-run", line_cut),
    Fault("the server is terminated", "SIGTERM, after a failed run", terminated),
    Fault("the server is interrupted", "SIGINT to all its processes, as Ctrl+C does", interrupted),
    Fault("the server is killed", "SIGKILL", server_killed),
    Fault("the disk is full", "a file system of 8 MB, filled", disk_full),
    Fault("the folder cannot be written", "chmod 555 in mid-run", folder_unwritable),
    Fault("the folder is deleted", "rm -r in mid-run", folder_deleted),
    Fault("two servers on one folder, one killed", "SIGKILL, on 8 MB", two_servers),
    Fault("the clock is set back", "an hour, in mid-run", clock_set_back),
)


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    print("| fault | how | whom it hits | everybody else | what remains | s |", flush=True)
    print("|---|---|---|---|---|---:|", flush=True)
    failed = False
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Place(Path(folder), stack)
        for fault in FAULTS:
            if not names or any(name in fault.name for name in names):
                begun = time.monotonic()
                try:
                    seen = asyncio.run(fault.make(place))
                    cells = [seen.victim, seen.bystander, seen.remains]
                except Missing as reason:
                    cells = [f"not done here: {reason}", "", ""]
                except (AssertionError, LoadError) as error:
                    here = [
                        f
                        for f in traceback.extract_tb(error.__traceback__)
                        if f.filename == __file__
                    ]
                    cells = [
                        f"NOT AS IT SHOULD BE, line {here[-1].lineno}: {here[-1].line}",
                        "",
                        "",
                    ]
                    failed = True
                cells = [fault.name, fault.how, *cells, f"{time.monotonic() - begun:.0f}"]
                print(f"| {' | '.join(cells)} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
