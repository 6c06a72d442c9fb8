"""All image input: registries, engines, layouts and archives. Each module implements ``image.source.Source``."""
