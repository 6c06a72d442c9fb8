"""The model of an image: index, manifest, configuration, layers and the file tree they give. No input, no output."""
