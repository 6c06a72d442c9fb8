"""The containers of images that only a plan names, for the compose services that deploy them."""

from __future__ import annotations

from lucid_audit import audit, ruleset
from lucid_audit.checks import AUDIT
from lucid_audit.container.config import Container


class Measured:
    """Reads an image when a compose service asks for it, each once. Of an index it takes the first platform that was read."""

    def __init__(self, ask: audit.Request, folder: str) -> None:
        self._ask, self._folder = ask, folder
        self._audit: audit.Audit | None = None
        self._known: dict[str, Container | None] = {}

    def __call__(self, name: str) -> Container | None:
        """Return the container of an image, None when it cannot be read: the service's own report says why.

        Raises:
            UsageError: the name is none.

        """
        if name not in self._known:
            if self._audit is None:
                rules = ruleset.load(self._ask.policy, self._folder)
                active = rules.active(self._ask.profile, self._ask.select, self._ask.ignore, AUDIT)
                self._audit = audit.Audit(self._ask, rules, active)
            publication = self._audit.image(name).publication
            self._known[name] = (
                publication.images[0].container if publication is not None and publication.images else None
            )
        return self._known[name]

    def close(self) -> None:
        """Release the cache."""
        if self._audit is not None:
            self._audit.close()
