"""Sources of images: one suite for all of them, and the traps of each."""
