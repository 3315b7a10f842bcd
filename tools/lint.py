"""`tools/launch lint [--fix] [CHECK…]`: the static checks, or those named: ruff, format, rules, pylint, xml, po."""

import os
import subprocess

from . import console, layout, python_env
from .console import Fail, say

USAGE = "usage: tools/launch lint [--fix] [ruff] [format] [rules] [pylint] [xml] [po]"


def checks(addons, translations, fix=False):
    """Return the commands of the checks by name; one that has nothing to look at has no command."""
    fixing = ["--fix"] if fix else []
    return {
        "ruff": ["ruff", "check", *fixing],
        "format": ["ruff", "format", *([] if fix else ["--check"])],
        "rules": addons and ["python", "-m", "tools.code_rules", *addons],
        "pylint": addons and ["pylint", "--disable=missing-readme,consider-merging-classes-inherited", *addons],
        "xml": addons and ["oca-checks-odoo-module", "--disable=prefer-readme-rst", *fixing, *addons],
        "po": translations and ["oca-checks-po", *fixing, *translations],
    }


def main(arguments):
    """Run the checks that are named, or all; return 1 when one of them found something."""
    if "--help" in arguments or "-h" in arguments:
        say(USAGE)
        return 0
    commands = checks(*_files(), fix="--fix" in arguments)
    named = [name for name in arguments if name != "--fix"]
    unknown = sorted(set(named) - set(commands))
    if unknown:
        raise Fail(f"there is no check {', '.join(unknown)}; {USAGE}")
    venv = python_env.ensure()
    failed = [name for name in named or commands if commands[name] and not _passes(venv, name, commands[name])]
    say(f"static checks failed: {', '.join(failed)}" if failed else "static checks passed")
    return int(bool(failed))


def _files():
    """Return the add-ons and their translations, as paths from the checkout's folder."""
    addons = layout.addons(with_apps=True)
    translations = [path for addon in addons for path in sorted(addon.glob("i18n*/*.po*"))]
    return [[str(path.relative_to(layout.ROOT)) for path in paths] for paths in (addons, translations)]


def _passes(venv, name, command):
    say(f"{name}: {command[0]}")
    path = f"{venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "PYLINTHOME": str(layout.LOCAL / "pylint")}
    return subprocess.run([venv / "bin" / command[0], *command[1:]], cwd=layout.ROOT, env=environment).returncode == 0


if __name__ == "__main__":
    console.main(main)
