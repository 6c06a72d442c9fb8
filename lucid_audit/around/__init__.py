"""What surrounds images: the services that compose files deploy, and the commands that build. Records of facts, for checks."""
