"""A browser without a window, driven through its DevTools; needs `websocket-client`, as Odoo's Python has it."""

import base64
import json
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

LIMIT = 60
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"]


class Page:
    """One page of the browser: go to an address, run scripts, wait and take pictures."""

    def __init__(self, address):
        import websocket  # in Odoo's Python, not in every one

        self.socket = websocket.create_connection(address, timeout=LIMIT, suppress_origin=True)
        self.number = 0
        self.send("Page.enable")

    def send(self, method, **params):
        """Give a command; return its result."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def resize(self, width, height):
        """Give the page its size."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def go(self, url):
        """Open an address."""
        self.send("Page.navigate", url=url)

    def run(self, script):
        """Run a script, awaiting a promise; return its value."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def wait(self, condition):
        """Wait until a script is true."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            try:
                if self.run(f"Boolean({condition})"):
                    return
            except RuntimeError:  # the page is being changed for another
                pass
            time.sleep(0.1)
        raise TimeoutError(f"not after {LIMIT} s: {condition}")

    def find(self, selector, text=""):
        """Return a script that gives the first element shown that fits and has the text."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return f"{found}.find((el) => el.offsetParent && el.textContent.includes({json.dumps(text)}))"

    def click(self, selector, text=""):
        """Wait for an element and click it."""
        element = self.find(selector, text)
        self.wait(element)
        self.run(f"{element}.click()")

    def picture(self, file):
        """Write what is seen to a PNG."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        Path(file).write_bytes(base64.b64decode(data))


@contextmanager
def page(program="chromium"):
    """Start a browser and give its page."""
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        command = [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield Page(_address(Path(folder, "DevToolsActivePort")))
        finally:
            process.terminate()
            process.wait()


def _address(file):
    """Return the address of the page's socket, once the browser has told its port."""
    deadline = time.monotonic() + LIMIT
    while not (file.exists() and file.read_text().count("\n")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the browser did not start in {LIMIT} s")
        time.sleep(0.1)
    port = file.read_text().split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=LIMIT) as answer:
        return next(target["webSocketDebuggerUrl"] for target in json.load(answer) if target["type"] == "page")
