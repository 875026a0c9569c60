"""The facts of one provider of racing data, as one value that is passed to all who need them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import RLock
from types import MappingProxyType
from typing import Any, Literal

from jvgate.spec.codes import CodeTable, load_code_tables
from jvgate.spec.dataspecs import Dataspec, load_dataspecs, unknown_dataspec
from jvgate.spec.files import read_json
from jvgate.spec.layouts import Layouts, load_layouts
from jvgate.spec.racekeys import KeyRules, load_key_rules
from jvgate.spec.returncodes import ReturnCodes, load_return_codes

__all__ = ["Provider", "Spec", "load_spec"]

Provider = Literal["jra", "nv"]
"""Who provides the data: JRA-VAN, or the local racing service behind NV-Link."""

_DATASPEC = re.compile(r"[A-Z]{4}|0B[0-9A-Z]{2}")
_RECORD = re.compile(r"[A-Z][A-Z0-9]")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spec:
    """The facts of *provider*.  link: the name of its component, `JV-Link` or `NV-Link`.

    passes_unknown: whether a data spec, record type or course that is not known here may exist nevertheless.
    lifetimes, prefetch_rules: the content of the data files of that name.
    """

    provider: Provider
    link: str
    passes_unknown: bool
    layouts: Layouts
    dataspecs: Mapping[str, Dataspec]
    code_tables: Mapping[str, CodeTable]
    return_codes: ReturnCodes
    key_rules: KeyRules
    lifetimes: Mapping[str, Any]
    prefetch_rules: Mapping[str, Any]

    def dataspec(self, dataspec: str) -> Dataspec | None:
        """Return the data spec of that id, None when there can be none."""
        known = self.dataspecs.get(dataspec)
        if known is None and self.passes_unknown and _DATASPEC.fullmatch(dataspec):
            return unknown_dataspec(dataspec, record_types=self.layouts.types)
        return known

    def is_dataspec(self, dataspec: str) -> bool:
        """Return whether a data spec of that id exists, or may exist."""
        return self.dataspec(dataspec) is not None

    def is_record(self, record: str) -> bool:
        """Return whether a record type of that name exists, or may exist."""
        is_known = record in self.layouts.types
        return is_known or (self.passes_unknown and _RECORD.fullmatch(record) is not None)

    def may_deliver(self, record: str, dataspec: Dataspec) -> bool:
        """Whether records of that type may come with *dataspec*."""
        return record in dataspec.record_types or (record not in self.layouts.types and self.is_record(record))

    def in_words(self, text: str) -> str:
        """Return *text*, which speaks of JV-Link, with the name of this provider's component."""
        return text.replace("JV-Link", self.link)


_lock = RLock()
_loaded: dict[tuple[Provider, bool], Spec] = {}


def load_spec(provider: Provider, *, any_course: bool = False) -> Spec:
    """Return the facts of *provider*, read from the data files at the first call in this process.

    any_course: let the keys of races and days name courses that the provider's tables lack, because the source's own
    content decides.

    That takes about a tenth of a second, so it is for the places where a process is put together: a server calls it on
    a thread before it is ready, a command when it runs, a session process at its start.
    """
    with _lock:
        if (provider, False) not in _loaded:
            spec = _load(provider)
            _loaded[provider, False] = spec
            _loaded[provider, True] = replace(spec, key_rules=replace(spec.key_rules, any_course=True))
        return _loaded[provider, any_course]


def _load(provider: Provider) -> Spec:
    about = read_json(f"{provider}/provider.json")
    code_tables = load_code_tables(provider)
    return Spec(
        provider=provider,
        link=about["link"],
        passes_unknown=about["passes_unknown"],
        # The layouts that are known of NV-Link's records are JRA-VAN's.
        layouts=load_layouts(code_tables) if provider == "jra" else load_spec("jra").layouts,
        dataspecs=load_dataspecs() if provider == "jra" else load_spec("jra").dataspecs,
        code_tables=code_tables,
        return_codes=load_return_codes(about["link"]),
        key_rules=load_key_rules(code_tables, passes_unknown=about["passes_unknown"]),
        lifetimes=MappingProxyType(read_json("jra/lifetimes.json")),
        prefetch_rules=MappingProxyType(read_json("jra/prefetch_rules.json")),
    )
