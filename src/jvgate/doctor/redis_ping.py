"""Does the Redis of the settings answer?  Asked as the server asks it; what is secret in its URL is never shown."""

from __future__ import annotations

import asyncio

from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import NoTier
from jvgate.doctor.findings import Finding
from jvgate.errors import SettingsError
from jvgate.gateway.opening import shared_tier
from jvgate.settings import Settings
from jvgate.spec.spec import Spec

__all__ = ["check_redis"]

_REFUSED = ("auth", "forbidden")


def check_redis(settings: Settings, spec: Spec) -> Finding:
    """Connect to the Redis of the settings, where one is set."""
    try:
        tier = shared_tier(settings, spec, "doctor")
    except SettingsError:  # its message names what is allowed, and no part of the URL
        return _no_url()
    if isinstance(tier, NoTier):
        return Finding(
            "redis", "skip", "No Redis is set; memory alone is used.", "Redis は設定されていません (メモリのみ)。"
        )
    reason, shown = asyncio.run(_trouble(tier)), str(tier)
    if not reason:
        return Finding("redis", "ok", f"Redis answers at {shown}.", f"Redis ({shown}) に接続できます。")
    return _refused(shown) if reason in _REFUSED else _silent(shown, reason)


async def _trouble(tier: RedisTier) -> str:
    """Return why Redis does not serve, in one word; "" when it does."""
    async with tier:
        return tier.state.reason


def _refused(shown: str) -> Finding:
    return Finding(
        "redis",
        "fail",
        f"Redis at {shown} does not accept the user or password of the setting.",
        f"Redis ({shown}) が設定のユーザー名・パスワードを受け付けません。",
        "Correct them: redis://USER:PASSWORD@HOST:PORT, special characters as %XX.",
        "redis://USER:PASSWORD@HOST:PORT の形で直してください (記号は %XX)。",
    )


def _silent(shown: str, reason: str) -> Finding:
    return Finding(
        "redis",
        "fail",
        f"No Redis serves at {shown} ({reason}).",
        f"Redis ({shown}) が使えません ({reason})。",
        "jvgate works without it; start it, or remove the setting.",
        "なくても動作します。起動するか、設定を外してください。",
    )


def _no_url() -> Finding:
    return Finding(
        "redis",
        "fail",
        "The setting of Redis is no URL of one.",
        "Redis の設定が URL の形ではありません。",
        "Write it as redis://HOST:PORT.",
        "redis://HOST:PORT の形で設定してください。",
    )
