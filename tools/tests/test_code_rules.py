"""What the rules of the code find, and what they leave alone."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from tools import code_rules


def find(source):
    return [line for line, _sentence in code_rules.find_broken(source)]


class TestSudo(unittest.TestCase):
    def test_without_a_reason(self):
        self.assertEqual(find("def f(self):\n    return (\n        self.env['a']\n        .sudo()\n    )\n"), [4])
        self.assertEqual(find("x = records.sudo(True)\n"), [1])

    def test_with_a_reason(self):
        self.assertEqual(find("def f(self):\n    # sudo: others count\n    return self.sudo()\n"), [])
        self.assertEqual(find("def f(self):\n    return self.sudo()  # sudo: others count\n"), [])

    def test_a_reason_says_something(self):
        self.assertEqual(find("def f(self):\n    # sudo:\n    return self.sudo()\n"), [3])

    def test_a_reason_is_no_text(self):
        self.assertEqual(find("def f(self):\n    '# sudo: others count'\n    return self.sudo()\n"), [3])

    def test_a_reason_of_another_function(self):
        source = "def f(self):\n    # sudo: others count\n    pass\ndef g(self):\n    return self.sudo()\n"
        self.assertEqual(find(source), [5])

    def test_leaving_superuser_mode_needs_none(self):
        self.assertEqual(find("def f(self):\n    return self.sudo(False)\n"), [])


class TestSql(unittest.TestCase):
    def test_put_together(self):
        for text in ("f'SELECT {x}'", "'SELECT %s' % x", "'SELECT ' + x", "'SELECT {}'.format(x)"):
            with self.subTest(text):
                self.assertEqual(find(f"SQL({text})\n"), [1])
                self.assertEqual(find(f"cr.execute({text})\n"), [1])
                self.assertEqual(find(f"env.execute_query({text})\n"), [1])
        self.assertEqual(find("SQL(text)\n"), [1])

    def test_written(self):
        self.assertEqual(find("SQL('SELECT %s', x)\nSQL()\ncr.execute(query)\ncr.execute('SELECT 1')\n"), [])


class TestFiles(unittest.TestCase):
    def test_status(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, source in (("good.py", "1\n"), ("tests/test_x.py", "a.sudo()\n")):
                path = Path(folder, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(source)
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                self.assertEqual(code_rules.main([folder]), 0)
                Path(folder, "bad.py").write_text("a.sudo()\n")
                self.assertEqual(code_rules.main([folder]), 1)
        self.assertIn("bad.py:1: superuser mode without a reason", output.getvalue())
