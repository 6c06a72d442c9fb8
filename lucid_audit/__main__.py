"""The program: runs the command line and turns every outcome into an exit code and at most one clear line."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with ``arguments`` (else those of the process) and return the exit code; see ``errors`` for the table."""
    gc.disable()  # a run is short; what it builds is needed to its end
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        import click  # noqa: PLC0415

        from lucid_audit import errors  # noqa: PLC0415
        from lucid_audit.cli import cli  # noqa: PLC0415
    except KeyboardInterrupt:
        return 130
    try:
        code = cli.main(arguments, prog_name="lucid-audit", standalone_mode=False)
        return code if isinstance(code, int) else errors.OK
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return errors.USAGE
    except (click.Abort, KeyboardInterrupt):
        return errors.INTERRUPTED
    except errors.LucidError as error:
        return _failed(error, error.exit_code, arguments)
    except Exception as error:  # noqa: BLE001  (the last line of defence: a bug must not look like findings)
        return _failed(error, errors.INTERNAL, arguments)


def _failed(error: Exception, code: int, arguments: Sequence[str]) -> int:
    """Say what failed in one line; a traceback is for those who ask."""
    from lucid_audit import errors  # noqa: PLC0415
    from lucid_audit.report.escape import visible  # noqa: PLC0415

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
    sys.exit(main())
