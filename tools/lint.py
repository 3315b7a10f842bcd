"""`tools/launch lint`: the static checks. Name one or several to run only these: ruff, format, pylint, xml, po."""

import os
import subprocess

from . import console, layout, python_env
from .console import Fail, say


def checks(addons, translations):
    """Return the commands of the checks by name; one that has nothing to look at has no command."""
    return {
        "ruff": ["ruff", "check"],
        "format": ["ruff", "format", "--check"],
        "pylint": addons and ["pylint", "--disable=missing-readme", *addons],
        "xml": addons and ["oca-checks-odoo-module", *addons],
        "po": translations and ["oca-checks-po", *translations],
    }


def main(arguments):
    """Run the checks that are named, or all; return 1 when one of them found something."""
    addons = layout.addons()
    commands = checks(addons, [path for addon in addons for path in sorted(addon.glob("i18n*/*.po*"))])
    unknown = set(arguments) - set(commands)
    if unknown:
        raise Fail(f"no such check: {', '.join(sorted(unknown))} (there are {', '.join(commands)})")
    venv = python_env.ensure()
    failed = [name for name in arguments or commands if commands[name] and not _passes(venv, name, commands[name])]
    say(f"static checks failed: {', '.join(failed)}" if failed else "static checks passed")
    return bool(failed)


def _passes(venv, name, command):
    say(f"{name}: {os.path.basename(command[0])}")
    path = f"{venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    words = [
        venv / "bin" / command[0],
        *(os.path.relpath(word, layout.ROOT) if os.path.isabs(word) else word for word in command[1:]),
    ]
    return subprocess.run(words, cwd=layout.ROOT, env={**os.environ, "PATH": path}).returncode == 0


if __name__ == "__main__":
    console.main(main)
