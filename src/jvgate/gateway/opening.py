"""The gateway that the settings describe, opened with its sessions and tiers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog

from jvgate.cache.clock import lifetime_clock
from jvgate.cache.late_tier import LateTier
from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import ALL, NoTier
from jvgate.freshness.lifetimes import Lifetimes
from jvgate.gateway.gateway import Gateway, PurgeNews
from jvgate.listeners import Listener
from jvgate.render.compression import levels_with
from jvgate.sessions.pool import Pool
from jvgate.sessions.remote_session import SessionEvent
from jvgate.sessions.sources.identity import SourceIdentity
from jvgate.sessions.sources.registry import source_of
from jvgate.settings import Settings
from jvgate.spec.spec import Spec, load_spec
from jvgate.values import Landed, Message

__all__ = ["check_settings", "open_gateway", "shared_tier"]

log: structlog.stdlib.BoundLogger = structlog.get_logger("jvgate")


def check_settings(settings: Settings, spec: Spec) -> None:
    """Raise SettingsError for what only the rooms that use a setting can tell to be wrong; nothing is begun."""
    Lifetimes(spec, settings.lifetimes)
    levels_with(settings.compression_levels)
    shared_tier(settings, spec, "checked")


@asynccontextmanager
async def open_gateway(
    settings: Settings,
    *,
    on_purge: Sequence[Listener[PurgeNews]] = (),
    on_landed: Sequence[Listener[Landed]] = (),
    on_event: Sequence[Listener[SessionEvent]] = (),
    listeners: Mapping[str, Sequence[Listener[Message]]] | None = None,
) -> AsyncIterator[Gateway]:
    """Yield a gateway to the source of *settings*, closed at the end: jobs and flights first, then the sessions.

    on_purge: told of every purge that is asked for here.  on_landed: told of every dataset that was read, here or by
    another server.  on_event: told of JV-Link's events, on the thread that receives from the session.
    listeners: told of other servers' messages through Redis, by the messages' kind.
    Raises SettingsError for a source that cannot be; whether it can serve is `Gateway.check`'s matter.
    """
    source = source_of(settings, on_event=on_event)
    spec = await asyncio.to_thread(load_spec, source.provider, any_course=source.any_course)
    pool = Pool(
        source, spec, sessions=settings.sessions, limit_bytes=settings.dataset_bytes, queue_limit=settings.queue
    )
    made: list[Gateway] = []  # who is told of purges: made after the tier that tells

    def forget(tags: tuple[str, ...]) -> None:
        for gateway in made:
            gateway.forget(tags)

    clock = lifetime_clock()
    make = partial(
        shared_tier,
        settings,
        spec,
        clock=clock,
        on_purge=[forget],
        on_reconnect=[lambda _: forget((ALL,))],
        listeners=listeners,
    )
    is_known = source.identity.is_fixed or not settings.redis_url.get_secret_value()
    shared = make(source.identity.text) if is_known else LateTier(make)
    gateway = Gateway(source, spec, pool, settings, shared=shared, clock=clock, on_purge=on_purge, on_landed=on_landed)
    async with pool, shared, gateway:
        made.append(gateway)
        _follow(source.identity, gateway, shared)
        yield gateway


def _follow(identity: SourceIdentity, gateway: Gateway, shared: RedisTier | LateTier | NoTier) -> None:
    """Open the tier of the source's identity once it is known; when it changes, drop what is in memory first."""
    loop, known = asyncio.get_running_loop(), ""

    def follow(text: str) -> None:
        nonlocal known
        if known:
            log.warning("the source behind the agent has changed: what was kept is dropped", was=known, identity=text)
            gateway.forget((ALL,))
        elif not identity.is_fixed:
            log.info("the source is identified", identity=text)
        known = text
        if isinstance(shared, LateTier):
            shared.identify(text)

    def learned(text: str) -> None:  # on a session's thread, and perhaps after the end of the loop
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(follow, text)

    identity.add_listener(learned)


def shared_tier(
    settings: Settings,
    spec: Spec,
    identity: str,
    *,
    clock: Callable[[], float] = time.time,
    on_purge: Sequence[Listener[tuple[str, ...]]] = (),
    on_reconnect: Sequence[Listener[None]] = (),
    listeners: Mapping[str, Sequence[Listener[Message]]] | None = None,
) -> RedisTier | NoTier:
    """Return the tier behind memory for the source of an *identity*, not begun yet.  clock: of memory.

    Raises SettingsError for what is no URL of Redis.
    """
    url = settings.redis_url.get_secret_value()
    if not url:
        return NoTier()
    return RedisTier(
        url,
        spec.layouts,
        identity=identity,
        deadline_s=settings.redis_deadline_s,
        lease_s=settings.redis_lease_s,
        # A server with a larger limit may have put a larger dataset there: it is not loaded here.
        limit_bytes=min(settings.redis_bytes, settings.dataset_bytes),
        on_purge=on_purge,
        on_reconnect=on_reconnect,
        listeners=listeners,
        clock=clock,
    )
