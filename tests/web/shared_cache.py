"""A shared cache as any might stand in front of the server: no more than RFC 9111 says, and all of it that counts here.

It stores what may be stored, chooses by `Vary`, lets a response get old by its own `Age` and `max-age`, and then asks
with the tags of all that it has.
"""

import re
import time
from dataclasses import dataclass, field

from tests.web.wire import ask


@dataclass
class Stored:
    """One response, and the request that it answered.  fresh_until: by the cache's clock."""

    asked: dict[str, str]
    headers: dict[str, str]
    content: bytes
    fresh_until: float

    def is_for(self, headers):
        """Whether it may answer a request with *headers* (section 4.1)."""
        names = [name.strip().lower().replace("-", "_") for name in self.headers.get("vary", "").split(",")]
        return all(self.asked.get(name) == headers.get(name) for name in names)


@dataclass
class SharedCache:
    """Answers clients from what *origin* said.  told: how each answer came about, newest last."""

    origin: object
    now: object = time.monotonic
    stored: dict[str, list[Stored]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def get(self, url, **headers):
        """The headers and the content for one client."""
        variants = self.stored.setdefault(url, [])
        found = next((one for one in variants if one.is_for(headers)), None)
        if found is not None and found.fresh_until > self.now():
            return self._told("hit", found)
        tags = ", ".join(one.headers["etag"] for one in variants)
        response, content = ask(self.origin, url, **headers, **({"if_none_match": tags} if tags else {}))
        if response.status_code == 304:  # section 4.3.4: it is about the one with that tag
            known = next(one for one in variants if one.headers["etag"] == response.headers["etag"])
            return self._told(
                "revalidated", self._keep(url, headers, known.headers | dict(response.headers), known.content)
            )
        return self._told("forwarded", self._keep(url, headers, dict(response.headers), content))

    def _keep(self, url, asked, headers, content):
        max_age = re.search(r"max-age=(\d+)", headers.get("cache-control", ""))
        left_s = int(max_age[1]) - int(headers.get("age", 0)) if max_age else 0
        kept = Stored(asked, headers, content, self.now() + left_s)
        if max_age and "no-store" not in headers["cache-control"] and headers.get("vary") != "*":
            self.stored[url] = [one for one in self.stored[url] if not one.is_for(asked)] + [kept]
        return kept

    def _told(self, how, response):
        self.told.append(how)
        return response.headers, response.content
