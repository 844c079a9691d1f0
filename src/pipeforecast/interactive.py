"""Verbs and mappings from Python, by the words of the command line: what a notebook starts from."""

from __future__ import annotations

from importlib import import_module

from pipeforecast.mapping import CrmMapping
from pipeforecast.overrides import composed
from pipeforecast.settings import settings_for


def call(verb: str, *overrides: str) -> str:
    """Run one verb and give what it prints; its files are where ``out=`` says.

    Parameters
    ----------
    verb : str
        As on the command line: ``forecast``, ``train``, …
    *overrides : str
        Settings as on the command line: ``"crm=salesforce"``, ``"source=exports/today"``.

    Raises
    ------
    PipeforecastError
        What the command would print as ``error: …`` and turn into its exit status.

    Examples
    --------
    >>> print(call("check", "crm=salesforce", "source=exports/today"))  # doctest: +SKIP
    """
    settings = settings_for(verb, composed(verb, overrides))
    return str(getattr(import_module("pipeforecast.workflow"), verb)(settings))


def mapping_named(name: str, *overrides: str) -> CrmMapping:
    """Give the mapping that ``crm=NAME`` chooses, one of the working directory's own ``configs/crm`` first.

    Parameters
    ----------
    name : str
    *overrides : str
        Changes to it, as on the command line: ``"crm.currency=EUR"``.
    """
    config = composed("check", [f"crm={name}", "source=.", *overrides])
    return CrmMapping.model_validate(settings_for("check", config).crm)
