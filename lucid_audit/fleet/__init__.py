"""A fleet: many services, each a Dockerfile and the image that is built from it, judged as one plan."""
