"""What the user sees: plain lines, the progress of long steps, and one clear line when something is wrong."""

import re
import signal
import subprocess
import sys
import time

PLAIN_INTERVAL = 20


class Fail(Exception):
    """Something the user can mend: its text is one line that says what to do."""


def say(text):
    """Print one line at once."""
    print(text, flush=True)


def main(command):
    """Run a command and turn what stops it into an exit status, with one line on stderr at most."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        sys.exit(command(sys.argv[1:]))
    except Fail as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    except OSError as error:
        # A missing tool, a folder that is not ours, a full disk: the text names the file.
        print(f"error: {error.strerror or error}: {error.filename or ''}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _stop(number, _frame):
    # An exception, so that every `finally` on the way out does its work.
    sys.exit(128 + number)


def run_step(what, command, log, *, detail=None, advice=None, **popen):
    """Run a command that takes a while, its output into the file `log`, and show that it is under way.

    `detail` is a pattern for lines of the log; the last match is shown as what the step is doing right now.
    Raises Fail when the command does not succeed: with the advice, where the cause is plain, else after the log's end.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **{"stdin": subprocess.DEVNULL, **popen})
        try:
            _watch(process, what, started, log, detail)
        finally:
            stop(process)
    if process.returncode and advice:
        raise Fail(f"{what} failed: {advice} (details: {log})")
    if process.returncode:
        print(tail(log), file=sys.stderr)
        raise Fail(f"{what} failed (exit status {process.returncode}): see {log}")
    say(f"  {what}: done in {time.monotonic() - started:.0f} s")


def _watch(process, what, started, log, detail):
    """Show the elapsed time until the process ends: always in the same line of a terminal, else a line now and then."""
    terminal = sys.stdout.isatty()
    if not terminal:
        say(f"  {what} …")
    shown = started
    while _still_running(process):
        now = time.monotonic()
        line = f"  {what} … {now - started:.0f} s{_doing(log, detail)}"
        if terminal:
            print(f"\r\033[K{line[:118]}", end="", flush=True)
        elif now - shown >= PLAIN_INTERVAL:
            shown = now
            say(line)
    if terminal:
        print("\r\033[K", end="", flush=True)


def _still_running(process):
    try:
        process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return True
    return False


def _doing(log, detail):
    found = detail and re.findall(detail, tail(log, 40))
    return f" ({found[-1]})" if found else ""


def tail(log, lines=25):
    """Return the last lines of a file that may be long."""
    with open(log, "rb") as file:
        file.seek(max(0, file.seek(0, 2) - 200 * lines))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def stop(process, patience=15, how=signal.SIGTERM):
    """End a child process that we started, if it still runs: politely, then for good."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
