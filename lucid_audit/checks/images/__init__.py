"""Checks of images and publications; ``checks.load_all`` imports every module of this folder."""
