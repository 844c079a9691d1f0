"""Made-up names of people and companies."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from pipeforecast.demo.text import pick

_FIRST_NAMES = (
    "Ada Amir Anneke Aroha Bela Carlo Chidi Dalia Dario Edda Elif Emeka Farah Goran Hana Ines Ivo Jonas Kaori Kemal "
    "Lena Liv Luca Mara Milan Nadia Noor Oskar Paloma Petra Quentin Rafa Rosa Samir Selma Tariq Tove Uma Viktor Wanda "
    "Xenia Yara Yusuf Zora"
)
_LAST_NAMES = (
    "Abbott Aldana Bakker Bergson Castell Dahlin Demir Eklund Farrow Ferreira Garcin Halloran Holm Ibarra Jansen "
    "Kessler Kimura Lindqvist Marchetti Mbeki Moreau Novak Okafor Orlov Palmer Pereira Quist Rossi Sandoval Sharma "
    "Silva Stein Tanaka Thorne Ueda Varga Vidal Weiss Yilmaz Zeller"
)
_COMPANY_FIRST = (
    "Alder Amber Arden Beacon Birch Blue Bright Cedar Clear Copper Coral Crest Delta Eagle Elm Ember Falcon Fern Flint "
    "Glen Granite Harbor Hazel Iron Ivory Juniper Kestrel Lark Linden Maple Meridian North Oak Onyx Opal Orchard Pine "
    "Quartz Raven River Rowan Sable Silver Slate Solar Summit Terra Thorn Timber Vale Violet Willow Winter Zephyr"
)
_COMPANY_SECOND = (
    "bridge brook burn cliff dale field ford forge gate grove haven hill hollow lake land line mark mere mill moor "
    "path peak point port reach ridge rock shore side spring stone vale view ward water way well wick wood works"
)
COMPANY_LAST = ("Ltd", "Inc", "Group", "Labs", "Systems", "Partners", "GmbH", "Holdings", "Foods", "Logistics")
FIRST_NAMES, LAST_NAMES = _FIRST_NAMES.split(), _LAST_NAMES.split()
COMPANY_FIRST, COMPANY_SECOND = _COMPANY_FIRST.split(), _COMPANY_SECOND.split()


def people_names(count: int, rng: np.random.Generator) -> ExtensionArray:
    """Made-up names of people."""
    first = pd.Series(pick(FIRST_NAMES, rng.integers(len(FIRST_NAMES), size=count)))
    last = pd.Series(pick(LAST_NAMES, rng.integers(len(LAST_NAMES), size=count)))
    return (first + " " + last).array


def company_names(count: int, rng: np.random.Generator) -> ExtensionArray:
    """Made-up names of companies; like real ones, not always unique."""
    first = pd.Series(pick(COMPANY_FIRST, rng.integers(len(COMPANY_FIRST), size=count)))
    second = pd.Series(pick(COMPANY_SECOND, rng.integers(len(COMPANY_SECOND), size=count)))
    last = pd.Series(pick(COMPANY_LAST, rng.integers(len(COMPANY_LAST), size=count)))
    return (first + second + " " + last).array


def emails(names: ExtensionArray, domain: str) -> ExtensionArray:
    """Addresses on a reserved domain, made of names and a running number."""
    series = pd.Series(names).str.lower().str.replace(" ", ".", regex=False)
    return (series + pd.Series(np.arange(len(series))).astype("str") + "@" + domain).array
