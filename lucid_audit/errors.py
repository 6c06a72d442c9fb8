"""The error family. Each class knows the exit code the command line ends with.

LucidError
├── UsageError      exit 2   what the person typed, a rule file, a profile or a policy is not valid
├── InputError      exit 3   a subject could not be read or verified; never reported as a pass
└── InternalError   exit 70  a bug of ours: a check crashed
"""

from __future__ import annotations

OK = 0
FINDINGS = 1
USAGE = 2
UNREADABLE = 3
INTERNAL = 70
INTERRUPTED = 130


class LucidError(Exception):
    """Base of every error that the command line turns into one clear line."""

    exit_code = INTERNAL


class UsageError(LucidError):
    """An option, a rule, a profile or a policy is not valid; the message says where and what was expected."""

    exit_code = USAGE


class InputError(LucidError):
    """A subject could not be read, parsed or verified."""

    exit_code = UNREADABLE


class InternalError(LucidError):
    """A check failed in a way it must not; the message names the rule and the subject."""

    exit_code = INTERNAL
