"""The container in the middle: what will run, whether predicted from a Dockerfile or measured from an image."""
