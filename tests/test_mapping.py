from pathlib import Path

import pytest
import yaml

from pipeforecast.errors import SettingsError
from pipeforecast.expressions import ColumnOf, Lookup
from pipeforecast.mapping import CrmMapping

CONFIGS = Path(__file__).parents[1] / "configs" / "crm"


def settings(**changes):
    plain = {
        "name": "t",
        "deals": {"files": "deals", "columns": {"deal_id": "id", "created_at": "made", "amount": "eur"}},
        "status": {"value": "state"},
    }
    return plain | changes


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_mapping_is_valid_and_named_after_its_file(path):
    mapping = CrmMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert mapping.name == path.stem


def test_a_plain_string_is_a_column_and_forms_nest():
    look = {
        "lookup": {"file": "p.csv", "key": "product", "by": {"column": "p", "values": {"A": "B"}}, "value": "price"}
    }
    columns = {"deal_id": "id", "created_at": "made", "amount": {"product": [look, "n"]}}
    mapping = CrmMapping.model_validate(settings(deals={"files": ["deals"], "columns": columns}))
    assert mapping.deals.columns["deal_id"] == ColumnOf(column="id")
    inner = mapping.deals.columns["amount"].product[0]
    assert isinstance(inner, Lookup)
    assert inner.lookup.by.values == {"A": "B"}


def test_yaml_scalars_are_read_as_the_text_in_the_file():
    mapping = CrmMapping.model_validate(settings(status={"value": {"column": "s", "values": {0: "open", True: "won"}}}))
    assert mapping.status.value.values == {"0": "open", "true": "won"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"surprise": 1}, ["surprise"]),
        ({"status": {}}, ["exactly one"]),
        ({"status": {"closed": "x"}}, ["closed and won"]),
        ({"close_date": "both"}, ["close_date", "dual"]),
        ({"numbers": {"decimal": ","}}, ["thousands"]),
        ({"tables": {"lead": {"files": "x"}}}, ["'lead'", "leads"]),
        ({"roles": {"birth": ["colour"]}}, ["colour"]),
        ({"history": {"created": {"name": "x"}}}, ["history.created"]),
        ({"deals": {"files": "deals", "columns": {"dealid": "id"}}}, ["dealid", "deal_id"]),
        ({"deals": {"files": "deals", "columns": {"deal_id": {"colum": "id"}}}}, ["source column or one of"]),
    ],
)
def test_what_is_not_understood_is_one_clear_error(changes, words):
    with pytest.raises(SettingsError) as caught:
        CrmMapping.model_validate(settings(**changes))
    for word in words:
        assert word in str(caught.value)
    assert len(str(caught.value)) < 1500
    assert "\n" not in str(caught.value)


def test_what_closing_rewrites_is_never_a_birth_fact_unless_it_is_a_constant():
    deals = settings()["deals"]
    told = {**deals, "columns": {**deals["columns"], "stage": "Stage"}}
    with pytest.raises(SettingsError, match="rewritten"):
        CrmMapping.model_validate(settings(deals=told, roles={"birth": ["stage"]}))
    told = {**deals, "columns": {**deals["columns"], "stage": {"constant": "Booked"}}}
    CrmMapping.model_validate(settings(deals=told, roles={"birth": ["stage"]}))


def test_many_errors_are_summed_up():
    bad = settings(**{f"x{i}": i for i in range(50)})
    with pytest.raises(SettingsError, match="47 more"):
        CrmMapping.model_validate(bad)
