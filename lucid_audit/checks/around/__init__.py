"""Judgements of what surrounds images: compose services and build commands."""
