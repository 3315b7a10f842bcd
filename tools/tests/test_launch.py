"""The shell script that finds a Python."""

import os
import subprocess

from tools import layout
from tools.tests.common import FolderCase

OLD = "#!/bin/sh\nexit 1\n"


class TestLaunch(FolderCase):
    def launch(self, **variables):
        environment = {"PATH": f"{self.root}:/nowhere", **variables}
        command = ["/bin/sh", str(layout.ROOT / "tools/launch"), "run", "--help"]
        self.write("dirname", '#!/bin/sh\nexec /usr/bin/dirname "$@"\n', mode=0o755)
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    def test_no_python(self):
        result = self.launch()
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^error: no Python 3\.10 to 3\.13 found: .*apt-get install python3.*\n$")

    def test_old_python_gives_way_to_a_newer_one(self):
        self.write("python3", OLD, mode=0o755)
        self.write("python3.12", '#!/bin/sh\n[ "$1" = -c ] || echo "$@" in "$PYTHONPATH"\n', mode=0o755)
        self.assertEqual(self.launch().stdout, f"-m tools.run --help in {layout.ROOT}\n")

    def test_named_python_that_does_not_fit(self):
        result = self.launch(PYTHON=str(self.write("old", OLD, mode=0o755)))
        self.assertRegex(result.stderr, r"^error: PYTHON=\S+ is not a Python 3\.10 to 3\.13: .*\n$")

    def test_called_from_elsewhere(self):
        result = subprocess.run(
            [layout.ROOT / "run", "--help"], cwd=self.root, env=dict(os.environ), capture_output=True, text=True
        )
        self.assertIn("usage: ./run", result.stdout)
