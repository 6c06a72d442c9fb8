"""The Dockerfile world: from text to typed instructions, stages and the container a build will give."""
