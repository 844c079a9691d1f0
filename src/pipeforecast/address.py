"""The address of a database, which may hold a password: shown, logged and recorded only without it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PASSWORD = re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@'\"]*):.*@", re.IGNORECASE)
_SECRET = re.compile(r"\b((?:\w*(?:password|passwd|secret|token|private_key|credential)\w*)=)[^\s&'\"]+", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Tell whether a text is the address of a database rather than a path."""
    return _SCHEME.match(text) is not None


def without_secrets(text: str) -> str:
    """Blank out the passwords of addresses in a text, and what stands after ``password=`` and the like."""
    return _SECRET.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


@dataclass(frozen=True)
class Address:
    """A database's address; its text is without secrets, and only ``url`` has them.

    Raises
    ------
    ValueError
        If it is no address, or names neither a host nor a database.
    """

    url: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_address(self.url):
            raise ValueError("expected an address such as postgres://user@host/database")
        try:
            parts = urlsplit(self.url)
            known = parts.port is not None or bool(parts.hostname or parts.path.strip("/"))
        except ValueError:
            known = False
        if not known:
            scheme = self.url.partition("://")[0]  # no more of it: what is no address may hold a password anywhere
            raise ValueError(f"expected {scheme}://user@host/database with its special signs as %40, came another form")

    @property
    def scheme(self) -> str:
        """Kind of the database, such as ``postgres``."""
        return urlsplit(self.url).scheme.casefold()

    @property
    def name(self) -> str:
        """Name of the database."""
        return urlsplit(self.url).path.strip("/").split("/")[0] or self.scheme

    def secrets(self) -> tuple[str, ...]:
        """Texts that nobody may see: the password, as written and as meant, and secret options."""
        parts = urlsplit(self.url)
        options = [v for k, v in parse_qsl(parts.query) if _SECRET.match(f"{k}=x")]
        return tuple(s for s in (parts.password, *options) if s)

    def hidden_in(self, text: str) -> str:
        """Blank out this address's secrets in what a driver says."""
        for secret in self.secrets():
            text = text.replace(secret, "***")
        return without_secrets(text)

    def __str__(self) -> str:
        return without_secrets(self.url)
