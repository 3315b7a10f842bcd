"""`tools/launch lock [--upgrade]`: compile requirements/*.in into pins for every Python from 3.10 to 3.13."""

from . import console, layout, python_env

OPTIONS = [
    "--universal",
    "--python-version=3.10",
    "--only-binary=:all:",
    "--no-emit-index-url",
    "--no-header",
    "--quiet",
]
# dev.in takes over what odoo.txt pins.
ORDER = ["odoo", "dev"]


def main(arguments):
    """Compile the locks; the arguments go to uv."""
    uv = python_env.ensure() / "bin/uv"
    for name in ORDER:
        files = [f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt"]
        command = [uv, "pip", "compile", "--cache-dir", python_env.CACHE, *OPTIONS, *arguments, *files]
        console.run_step(f"compiling requirements/{name}.txt", command, layout.LOGS / "lock.log", cwd=layout.ROOT)


if __name__ == "__main__":
    console.main(main)
