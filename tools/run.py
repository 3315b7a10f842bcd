"""`./run`: set up what is missing and serve Odoo with the add-ons and demo data."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from . import console, layout, options
from .console import Fail, say
from .database import Databases

FIRST_PORT = 8069
START_LIMIT = 180


def main(arguments):
    """Serve until Ctrl+C."""
    chosen = _options(arguments)
    port = chosen.port or _free_port()
    if chosen.port and not _is_free(port):
        raise Fail(f"port {port} is busy: choose another one with --port, or leave the option out to get a free one")
    lock = layout.try_lock(layout.LOCAL / "locks" / f"serving-{chosen.database or 'demo'}")
    if not lock:
        raise Fail(
            "another ./run of this checkout serves this database: stop it, or choose another one with --database NAME"
        )
    with lock, options.odoo(chosen, printing_wanted=True) as odoo:
        if chosen.lang:
            odoo.source.check_language(chosen.lang)
        database = chosen.database or f"{odoo.server.prefix}demo"
        Databases(odoo).demo(database, chosen.lang, chosen.fresh)
        return _serve(odoo, database, port, chosen)


def _options(arguments):
    parser = options.parser(
        "./run", "Set up what is missing, then serve Odoo 19 with the add-ons and demo data until Ctrl+C."
    )
    parser.add_argument("--port", type=_port, help=f"HTTP port (default: {FIRST_PORT}, or the next free one)")
    parser.add_argument(
        "--database", metavar="NAME", type=_database_name, help="database to make and serve (default: demo)"
    )
    parser.add_argument("--fresh", action="store_true", help="start over: drop the database and make it again")
    parser.add_argument(
        "--lang", metavar="CODE", help="language of the users: en_US (default) or zh_CN, or what your own Odoo has"
    )
    parser.add_argument(
        "odoo_arguments", nargs="*", metavar="-- ARGUMENT", help="anything else for Odoo, for example -- --dev=all"
    )
    return parser.parse_args(arguments)


def _port(text):
    if not 0 < int(text) < 65536:
        raise ValueError(text)
    return int(text)


def _database_name(text):
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", text):
        raise ValueError(text)
    return text


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port():
    port = next((port for port in range(FIRST_PORT, FIRST_PORT + 100) if _is_free(port)), None)
    if not port:
        raise Fail(f"the ports {FIRST_PORT} to {FIRST_PORT + 99} are all busy: choose one with --port")
    if port != FIRST_PORT:
        say(f"port {FIRST_PORT} is busy, taking {port}")
    return port


def _serve(odoo, database, port, chosen):
    conf = odoo.configure(database, port)
    log = layout.LOGS / f"serve-{database}.log"
    with open(log, "wb") as output:
        process = odoo.start(conf, *chosen.odoo_arguments, output=output)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _wait_until_up(process, port, log)
        _greet(database, port, log)
        status = process.wait()
        raise Fail(f"Odoo ended by itself (exit status {status}): see {log}")
    except KeyboardInterrupt:
        say("\nstopping")
        return 0
    finally:
        _stop(process)


def _wait_until_up(process, port, log):
    """Wait for the first answer, so that the address is good when it is printed."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Fail(f"Odoo does not start: {console.tail(log, 1)} (see {log})")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/web/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise Fail(f"Odoo does not answer on port {port} after {START_LIMIT} s: see {log}")


def _greet(database, port, log):
    say(f"""
  Odoo 19 is up:  http://127.0.0.1:{port}
  login:          admin
  password:       admin
  database:       {database}
  log:            {os.path.relpath(log, layout.ROOT)}
  stop:           Ctrl+C
""")


def _stop(process):
    """End Odoo. In a terminal Ctrl+C has reached it already, and a second signal would cut its orderly end short."""
    try:
        if os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp():
            process.wait(10)
    except (subprocess.TimeoutExpired, OSError):
        pass
    console.stop(process)


if __name__ == "__main__":
    console.main(main)
