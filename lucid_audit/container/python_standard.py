"""Modules that need no file: compiled into interpreters, or of a standard library that nobody lists."""

from __future__ import annotations

import sys

# Compiled into the interpreter, so no file may show them (CPython's ``Modules/Setup`` and ``Modules/config.c.in``).
BUILT_IN = frozenset((
    "array", "atexit", "binascii", "builtins", "cmath", "errno", "faulthandler", "fcntl", "gc", "grp", "itertools",
    "marshal", "math", "mmap", "posix", "pwd", "pyexpat", "readline", "resource", "select", "spwd", "sys", "syslog",
    "termios", "time", "unicodedata", "zlib", "nt", "winreg", "msvcrt", "winsound",
)).union(sys.builtin_module_names)  # fmt: skip
# What the standard library of some Python 3 has and that of the Python we run on may lack ("What's New", 3.8 to 3.14).
SOMETIME = frozenset((
    "aifc", "annotationlib", "asynchat", "asyncore", "audioop", "binhex", "cgi", "cgitb", "chunk", "compression",
    "crypt", "distutils", "dummy_threading", "formatter", "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis",
    "nntplib", "ossaudiodev", "parser", "pipes", "smtpd", "sndhdr", "sunau", "symbol", "telnetlib", "uu", "xdrlib",
)).union(sys.stdlib_module_names)  # fmt: skip
