"""The program: runs the command line and turns every outcome into an exit code and at most one clear line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def program() -> NoReturn:
    """Run as a process. It ends without Python's clean-up of every module, which takes as long as linting two files."""
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # Python says what is wrong with the stream
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with ``arguments`` (else those of the process) and return the exit code; see ``errors`` for the table."""
    gc.disable()  # a run is short; what it builds is needed to its end
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _plain(arguments[1:]) if _is_plain(arguments) else _click(arguments)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  (the last line of defence: a bug must not look like findings)
        return _failed(error, arguments)


def _is_plain(arguments: Sequence[str]) -> bool:
    """Whether this is ``lint PATH...`` without any option, as hooks and editors call it."""
    return arguments[:1] == ["lint"] and not any(word.startswith("-") for word in arguments)


def _plain(paths: Sequence[str]) -> int:
    """Lint with every option at its default: what ``cli`` does, without the third of the start-up that is click's."""
    from lucid_audit.cachefolder import cache_folder  # noqa: PLC0415
    from lucid_audit.dates import date  # noqa: PLC0415
    from lucid_audit.deliver import Look, deliver  # noqa: PLC0415
    from lucid_audit.lint import Request, run  # noqa: PLC0415

    outcome = run(Request(tuple(paths) or (".",), date.today(), cache=cache_folder(os.environ)))
    deliver(outcome.report, Look())
    return outcome.exit_code


def _click(arguments: Sequence[str]) -> int:
    import click  # noqa: PLC0415

    from lucid_audit import errors  # noqa: PLC0415
    from lucid_audit.cli import cli  # noqa: PLC0415

    try:
        code = cli.main(arguments, prog_name="lucid-audit", standalone_mode=False)
        return code if isinstance(code, int) else errors.OK
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return errors.USAGE
    except click.Abort:
        return errors.INTERRUPTED


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    """Say what failed in one line; a traceback is for those who ask."""
    from lucid_audit import errors  # noqa: PLC0415
    from lucid_audit.report.escape import visible  # noqa: PLC0415

    code = error.exit_code if isinstance(error, errors.LucidError) else errors.INTERNAL
    if code == errors.INTERNAL:
        if "--debug" in arguments:
            from traceback import print_exception  # noqa: PLC0415

            print_exception(error)
        text = str(error) if isinstance(error, errors.LucidError) else f"{type(error).__name__}: {error}"
        hint = "this is a bug in lucid-audit; --debug before the command shows where"
        print(f"lucid-audit: internal error: {visible(text)} ({hint})", file=sys.stderr)
    else:
        print(f"lucid-audit: {visible(str(error))}", file=sys.stderr)
    return code


if __name__ == "__main__":
    program()
