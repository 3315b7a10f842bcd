"""What the benchmarks share that need servers of their own: PostgreSQL in a folder, Odoo on a port, a web client.

All of it is on loopback and gone in the end.
"""

import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import requests

import odoo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools import postgres

STATEMENT = "LOG:  statement: "


def free_port():
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(is_done, what, seconds=120):
    """:raise SystemExit: when it does not happen in time"""
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds} s in vain: {what}")
        time.sleep(0.2)


# ------------------------------------------------------------
# PostgreSQL
# ------------------------------------------------------------


class Cluster:
    """A PostgreSQL in a folder, on a port of the loopback interface."""

    def __init__(self, programs, folder, settings):
        self.programs, self.folder, self.port = programs, folder, free_port()
        self.settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "jit": "off", **settings}
        self.log = folder.with_suffix(".log")

    def run(self, program, *words):
        command = postgres._command(self.programs, program, *words)
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{program} failed: {result.stderr}")

    def make(self):
        words = ["-U", "odoo", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        self.run("initdb", *words, "-D", self.folder)
        with (self.folder / "postgresql.conf").open("a") as settings:
            settings.write("log_line_prefix = '%d '\n")

    def start(self):
        options = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
        words = ["-D", self.folder, "-w", "-t", "120", "-l", self.log, "-o", f"{options} -p {self.port}", "start"]
        # its own output, or the server would hold the pipe that is read to the end
        command = postgres._command(self.programs, "pg_ctl", *words)
        if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
            raise SystemExit(f"PostgreSQL does not start: {self.log.read_text()}")

    @contextmanager
    def running(self):
        self.start()
        try:
            yield self
        finally:
            self.run("pg_ctl", "-D", self.folder, "-m", "immediate", "stop")

    def get_pid(self):
        return int((self.folder / "postmaster.pid").read_text().splitlines()[0])

    def ask(self, query, database="postgres"):
        """The first value of a query's answer."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="odoo", dbname=database)
        with closing(connection), connection.cursor() as cr:
            cr.execute(query)
            return cr.fetchone()[0]

    def copy(self, database):
        """Copy a database of the server that the configuration names into this one."""
        target = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "odoo"]
        subprocess.run([self.programs / "createdb", *target, database], check=True)
        dump = [self.programs / "pg_dump", "--no-owner", *connection_words(), database]
        restore = [self.programs / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", *target, database]
        with subprocess.Popen(dump, stdout=subprocess.PIPE) as source:
            subprocess.run(restore, stdin=source.stdout, stdout=subprocess.DEVNULL, check=True)

    def follow(self):
        """Where its log ends now, for :meth:`statements_since`."""
        return self.log.stat().st_size

    def statements_since(self, position, database):
        """The statements that it has run since, of the database alone; where it logs them."""
        with self.log.open(errors="replace") as log:
            log.seek(position)
            logged = log.read()
        return logged.split(f"{database} {STATEMENT}")[1:]


def connection_words():
    """Where the configuration has its databases."""
    options = {
        "-h": odoo.tools.config["db_host"],
        "-p": odoo.tools.config["db_port"],
        "-U": odoo.tools.config["db_user"],
    }
    return [word for flag, value in options.items() if value for word in (flag, str(value))]


# ------------------------------------------------------------
# Odoo
# ------------------------------------------------------------


def configure(config, cluster, database):
    """Let Odoo in this process work in the cluster.

    :returns: the same as words for another process
    """
    words = ["--db_host", "127.0.0.1", "--db_port", str(cluster.port), "--db_user", "odoo", "-d", database]
    odoo.tools.config.parse_config(["-c", config, *words, "--log-level=error"])
    return words


@contextmanager
def serving(config, words, folder, *more):
    """Odoo on a free port; its log, its sessions and its files are in the folder.

    :returns: the port
    """
    port, log, launcher = free_port(), folder / "odoo.log", folder / "odoo-bin"
    # With workers Odoo starts itself once more, as a script: under `python -m odoo` that fails, over and over
    launcher.write_text("import odoo.cli\n\nodoo.cli.main()\n")
    command = [sys.executable, str(launcher), "-c", config, *words, "--http-port", str(port), *more]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--data-dir", str(folder / "data")], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        wait_until(lambda: is_serving(port) or server.poll() is not None, "Odoo starts", 300)
        if server.poll() is not None:
            raise SystemExit(log.read_text())
        yield port
    finally:
        server.terminate()
        server.wait()


def is_serving(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/web/health", timeout=60).ok
    except requests.ConnectionError:
        return False


class WebClient:
    """Somebody who is logged in."""

    def __init__(self, port, database, login):
        self.address, self.session = f"http://127.0.0.1:{port}", requests.Session()
        self.call("/web/session/authenticate", {"db": database, "login": login, "password": login})
        self.call("/web/session/get_session_info", {})  # with the first call of a session Odoo notes the device

    def post(self, path, parameters, timeout=120):
        return self.session.post(self.address + path, json={"params": parameters}, timeout=timeout)

    def call(self, path, parameters):
        answer = self.post(path, parameters).json()
        if "error" in answer:
            raise SystemExit(f"{path}: {answer['error']['data']['debug']}")
        return answer["result"]
