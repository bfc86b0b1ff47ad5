"""Reads the command line and opens a door: one of Offhand's own processes, or whatever `ui.terminal` finds meant."""

import sys


def main() -> int:
    """Run what the command line names; returns the exit status."""
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "--process":
        from core.engine import processes

        return processes.run(arguments[1])
    from ui import terminal

    return terminal.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
