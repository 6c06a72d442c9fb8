"""Distroless containers that are proven to start: a linter for Dockerfiles and an auditor for images."""

__version__ = "0.1.0"
