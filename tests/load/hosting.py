"""Several servers behind nginx, as .hosting/nginx.conf has them, with one folder of recordings."""

import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.real import REPO, Server, free_ports

CONF = REPO / ".hosting" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
WHY_NOT = "nginx is not installed (Debian: nginx)"


@contextmanager
def behind_nginx(
    folder: Path, num_servers: int, **environment: str
) -> Iterator[tuple[str, dict[int, subprocess.Popen[bytes]]]]:
    """The address of all, and the servers by their ports; recordings lie in folder/runs."""
    assert NGINX is not None, WHY_NOT
    environment["PGVIZ_RUNS"] = str(folder / "runs")
    with ExitStack() as stack:
        started = [stack.enter_context(Server(**environment)) for _ in range(num_servers)]
        servers = {server.port: server.process for server in started}
        (front,) = free_ports(1)
        (folder / "nginx.conf").write_text(_configuration(folder, front, [*servers]))
        proxy = subprocess.Popen(
            [NGINX, "-c", folder / "nginx.conf", "-p", folder, "-g", "daemon off;"]
        )
        stack.callback(proxy.wait)
        stack.callback(proxy.terminate)
        wait_for(f"http://127.0.0.1:{front}/_stcore/health")
        yield f"http://127.0.0.1:{front}", servers


def _configuration(folder: Path, front: int, ports: list[int]) -> str:
    """The project's file with other ports, and everything that nginx writes in this folder."""
    text = CONF.read_text().replace("127.0.0.1:8500", f"127.0.0.1:{front}")
    lines = re.findall(r".*server 127\.0\.0\.1:850[12] .*\n", text)
    ours = "".join(lines[0].replace("8501", str(port)) for port in ports)
    text = text.replace("".join(lines), ours)
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{part}_temp_path {folder}/{part};" for part in parts)
    text = text.replace("gzip on;", f"access_log off;\n{places}\ngzip on;", 1)
    return f"pid {folder}/pid; error_log {folder}/error.log;\n{text}"


def wait_for(url: str, patience_s: float = 60.0) -> object:
    """What this address answers, once it does."""
    give_up = time.monotonic() + patience_s
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5)
        except OSError:
            assert time.monotonic() < give_up, url
            time.sleep(0.1)
