"""A server of Odoo, and somebody who works on it over HTTP. For ``life_cycle.py``."""

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager


@contextmanager
def serve(config, port, database):
    """Start a server of its own on loopback, give a client that is logged in, and stop the server."""
    command = [sys.executable, "-m", "odoo", "-c", config, "-d", database, "--max-cron-threads=0"]
    command += ["--http-port", str(port), "--http-interface=127.0.0.1", "--log-level=warn"]
    process = subprocess.Popen([*command, "--db-filter", f"^{database}$"])
    try:
        yield _connect(process, port, database)
    finally:
        process.terminate()
        process.wait()


def _connect(process, port, database):
    for _attempt in range(120):
        if process.poll() is not None:
            break
        try:
            return Client(port, database)
        except OSError:
            time.sleep(1)
    raise RuntimeError("the server does not start")


class Client:
    """Somebody at a browser, as far as the server can tell."""

    def __init__(self, port, database):
        self.url = f"http://127.0.0.1:{port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self._post("/web/session/authenticate", db=database, login="admin", password="admin")

    def call(self, model, method, *args, **kwargs):
        """
        :raise RuntimeError: with what the user would be shown
        """
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self._post(path, model=model, method=method, args=args, kwargs=kwargs)

    def _post(self, path, **params):
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        with self.opener.open(request, timeout=120) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{path}: {answer['error']['data']['message']}")
        return answer.get("result")  # none of None

    def open(self, xmlid):
        """Open an action: its views, and the records of each.

        :raise RuntimeError: also where there are no records
        """
        action = self._post("/web/action/load", action_id=xmlid)
        search_view = [action["search_view_id"] and action["search_view_id"][0], "search"]
        arch = self.call(
            action["res_model"],
            "get_views",
            views=[*action["views"], search_view],
            options={"load_filters": True, "toolbar": True},
        )
        if not self._read_records(arch, action["res_model"]):
            raise RuntimeError(f"{xmlid} shows nothing")

    def _read_records(self, arch, model):
        records = []
        for kind in ("list", "kanban", "form"):
            if kind in arch["views"]:
                view, fields = arch["views"][kind]["arch"], arch["models"][model]["fields"]
                names = {name: {} for name in fields if f'name="{name}"' in view}
                found = self.call(model, "web_search_read", domain=[], specification=names, limit=40)
                records = found["records"]
        return records
