"""List the benchmarks, or run some: ``uv run --locked python -m benchmarks [NAME [OPTION…]]``."""

import ast
import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def benchmarks():
    """Return what can be run, with its first line: every file here that defines ``main``."""
    found = {}
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def run(name, options):
    """Run one benchmark with the options that follow its name."""
    print(f"# {name}\n", flush=True)
    sys.argv = [str(FOLDER / f"{name}.py"), *options]
    sys.path.insert(0, str(FOLDER))
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")


def main():
    known, names = benchmarks(), []
    options = sys.argv[1:]
    while options and not options[0].startswith("-"):
        names.append(options.pop(0))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        for name, line in known.items():
            print(f"{name:18} {line}")
        print("\nrun some: python -m benchmarks NAME…, one with options: python -m benchmarks NAME --help")
        sys.exit(f"\nno benchmark is called {', '.join(unknown)}" if unknown else 0)
    for name in names:
        run(name, options)


if __name__ == "__main__":
    main()
