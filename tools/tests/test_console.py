"""What is printed, and what a command leaves behind when something is wrong."""

import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from tools import console, layout

PROGRAM = "import sys; sys.path.insert(0, {root!r}); from tools import console; {body}"


def run(body):
    """Run a piece of a command in a process of its own."""
    program = PROGRAM.format(root=str(layout.ROOT), body=body)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


class TestMain(unittest.TestCase):
    def test_failure_is_one_line(self):
        result = run("console.main(lambda arguments: (_ for _ in ()).throw(console.Fail('do this')))")
        self.assertEqual((result.returncode, result.stderr, result.stdout), (1, "error: do this\n", ""))

    def test_missing_tool_is_one_line(self):
        result = run("import subprocess; console.main(lambda arguments: subprocess.run(['/no/such/tool']))")
        self.assertEqual((result.returncode, result.stderr), (1, "error: No such file or directory: /no/such/tool\n"))

    def test_status_is_passed_on(self):
        self.assertEqual(run("console.main(lambda arguments: 5)").returncode, 5)

    def test_termination_lets_the_command_clean_up(self):
        body = "import time; exec('def wait(a):\\n try: print(1, flush=True); time.sleep(60)\\n finally: print(2)')"
        program = PROGRAM.format(root=str(layout.ROOT), body=f"{body}; console.main(wait)")
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "1\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.communicate(timeout=10)[0], "2\n")
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)


class TestRunStep(unittest.TestCase):
    def setUp(self):
        self.log = layout.LOGS / f"test-{os.getpid()}.log"
        self.addCleanup(self.log.unlink, missing_ok=True)

    def test_failure_names_the_log(self):
        with self.assertRaisesRegex(console.Fail, rf"^counting failed \(exit status 3\): see {self.log}$"):
            console.run_step("counting", ["sh", "-c", "echo one; exit 3"], self.log)
        self.assertEqual(self.log.read_text(), "one\n")

    def test_interrupted_step_leaves_no_process(self):
        with self.assertRaises(ZeroDivisionError):
            console.run_step("sleeping", ["sleep", "1234.5"], self.log, detail=_Broken())
        self.assertFalse(_running("sleep\x001234.5"))

    def test_detail_is_the_last_match(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("Loading module a (1/2)\nLoading module b (2/2)\nother\n")
        self.assertEqual(console._doing(self.log, r"module (\S+ \S+)"), " (b (2/2))")
        self.assertEqual(console._doing(self.log, "nothing like it"), "")


class _Broken:
    """A pattern that cannot be used, as a stand-in for anything that goes wrong while a step runs."""

    def __bool__(self):
        raise ZeroDivisionError


def _running(words):
    time.sleep(0.1)
    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if words in _read(path)]


def _read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


class TestStop(unittest.TestCase):
    def test_a_process_that_does_not_listen_is_ended_for_good(self):
        program = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        process.stdout.readline()
        console.stop(process, patience=0.2)
        self.assertEqual(process.returncode, -signal.SIGKILL)
        process.stdout.close()
