"""Who builds a Dockerfile: what compose files, bake files and header comments say of contexts, arguments and targets."""
