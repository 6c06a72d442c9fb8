"""Real images and real servers for end-to-end tests.

``debs`` fetches Debian packages, ``tars`` makes layers of them, ``distroless`` stacks the layers to base images,
``services`` puts a service on one, sound or with a fault, and ``layout`` writes images to a directory. ``servers`` runs
a registry, an engine and podman; ``push`` and ``tools`` bring layouts there. What is made once is kept in
$XDG_CACHE_HOME/lucid-audit-tests. LUCID_AUDIT_E2E_DEBIAN=trixie makes images of that Debian release on any other.
"""
