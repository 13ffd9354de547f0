"""The tier catalogue, what the settings may change in it, and what they may not."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from kitehub.enums import Tier
from kitehub.models import InstanceConfig
from kitehub.plans import DEFAULTS, PLANS, UnknownFeature


def messages() -> list[tuple[str, str]]:
    return [(found.id, found.msg) for found in run_checks() if "PLANS" in found.msg]


def test_what_the_settings_change_is_changed_and_nothing_else(settings) -> None:
    settings.KITEHUB_PLANS = {
        "BASIC": {
            "monthly_price": 349_000,
            "features": {"media": True},
            "limitations": {"maxStudents": 80},
            "storage_bytes": 1024,
        },
        "PREMIUM": {"storage_bytes": None, "limitations": {"maxCourses": 900}},
    }
    basic, premium = PLANS[Tier.BASIC], PLANS[Tier.PREMIUM]
    assert (basic.monthly_price, basic.storage_bytes) == (349_000, 1024)
    assert basic.features == {"engagement": False, "media": True, "premium": False}
    assert basic.limitations == {"maxStudents": 80, "maxCourses": 10}
    assert (premium.storage_bytes, premium.limit("maxCourses")) == (None, 900)
    assert premium.monthly_price == DEFAULTS[Tier.PREMIUM].monthly_price
    assert PLANS[Tier.STANDARD] == DEFAULTS[Tier.STANDARD]
    assert messages() == []


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], None),  # nothing is changed
        (["BASIC"], "['BASIC'] is no object of tiers."),
        ({"GOLD": {}}, "there is no tier 'GOLD', only BASIC, STANDARD, PREMIUM."),
        ({"BASIC": 5}, "BASIC is 5, and must be an object."),
        ({"BASIC": {"price": 1}}, "BASIC.price is unknown; there are monthly_price, features, "),
        ({"BASIC": {"monthly_price": 0}}, "BASIC.monthly_price is 0, and must be a whole number"),
        ({"BASIC": {"monthly_price": None}}, "monthly_price is None, and must be a whole number"),
        ({"BASIC": {"monthly_price": "299000"}}, "is '299000', and must be a whole number from 1"),
        ({"BASIC": {"storage_bytes": -1}}, "from 0 on, or null for no limit."),
        ({"BASIC": {"storage_bytes": 2**63}}, "from 0 on, or null for no limit."),
        ({"BASIC": {"storage_bytes": True}}, "BASIC.storage_bytes is True"),
        ({"BASIC": {"features": {"media": 1}}}, "media is 1, and must be true or false."),
        ({"BASIC": {"features": {"medai": True}}}, "features.medai is unknown; there are engage"),
        ({"BASIC": {"features": []}}, "BASIC.features is [], and must be an object."),
        ({"BASIC": {"limitations": {"maxStudents": 1.5}}}, "maxStudents is 1.5, and must be"),
        ({"BASIC": {"limitations": {"maxStorageBytes": 1}}}, "limitations.maxStorageBytes is unk"),
    ],
)
def test_what_makes_no_sense_is_an_error_by_its_name(
    overrides: Any, said: str | None, settings
) -> None:
    settings.KITEHUB_PLANS = overrides
    if said is None:
        assert PLANS[Tier.BASIC] == DEFAULTS[Tier.BASIC]
        return
    (found,) = messages()
    assert found[0] == "kitehub.E004"
    assert said in found[1]
    with pytest.raises(ImproperlyConfigured, match=r"^KITEHUB_PLANS: "):
        PLANS[Tier.BASIC]


def test_every_fault_is_said_at_once(settings) -> None:
    settings.KITEHUB_PLANS = {"BASIC": {"storage_bytes": -1, "price": 1}, "GOLD": {}}
    assert [found for found, _ in messages()] == ["kitehub.E004"] * 3


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"BASIC": {"monthly_price": 700_000}}, "BASIC costs more than STANDARD."),
        ({"BASIC": {"storage_bytes": None}}, "BASIC has more than STANDARD: maxStorageBytes."),
        ({"BASIC": {"features": {"premium": True}}}, "BASIC has premium, and STANDARD hasn't."),
        (
            {"PREMIUM": {"limitations": {"maxStudents": 9}}},
            "STANDARD has more than PREMIUM: maxStudents.",
        ),
    ],
)
def test_a_tier_that_beats_the_next_one_is_warned_of(
    overrides: dict[str, Any], said: str, settings
) -> None:
    settings.KITEHUB_PLANS = overrides
    assert messages() == [("kitehub.W001", f"KITEHUB_PLANS: {said}")]


class TestVariable:
    def read(self) -> Any:
        path = django_settings.BASE_DIR / "kitehub" / "settings.py"
        return runpy.run_path(str(path))["KITEHUB_PLANS"]

    def test_json_and_the_path_of_a_file_with_json_are_read(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        said = {"BASIC": {"storage_bytes": None}}
        (tmp_path / "plans.json").write_text(json.dumps(said))
        for value in (json.dumps(said), str(tmp_path / "plans.json")):
            monkeypatch.setenv("KITEHUB_PLANS", value)
            assert self.read() == said
        monkeypatch.setenv("KITEHUB_PLANS", "")
        assert self.read() == {}

    @pytest.mark.parametrize("value", ["/nowhere/plans.json", "{", '{"BASIC": nil}', "yes"])
    def test_anything_else_is_one_line(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv("KITEHUB_PLANS", value)
        with pytest.raises(ImproperlyConfigured, match=r"^KITEHUB_PLANS .+\.$"):
            self.read()


class TestConfig:
    def test_without_exceptions_all_follows_the_tier(self) -> None:
        config = InstanceConfig(tier=Tier.BASIC)
        assert (config.allows("media"), config.limit("maxStudents")) == (False, 50)
        config.tier = Tier.PREMIUM
        assert (config.allows("media"), config.limit("maxStudents")) == (True, None)
        assert config.limit("maxStorageBytes") == DEFAULTS[Tier.PREMIUM].storage_bytes

    def test_an_exception_comes_before_the_tier_and_null_is_no_limit(self) -> None:
        config = InstanceConfig(
            tier=Tier.STANDARD,
            features={"media": False, "premium": True},
            limitations={"maxStudents": None, "maxCourses": 0, "maxStorageBytes": 7.0},
        )
        assert [config.allows(name) for name in PLANS[Tier.BASIC].features] == [True, False, True]
        assert (config.limit("maxStudents"), config.limit("maxCourses")) == (None, 0)
        assert config.limit("maxStorageBytes") == 7

    @pytest.mark.parametrize("value", ["yes", 1, None, [], {"on": True}])
    def test_a_flag_that_is_none_leaves_the_tiers_word(self, value: object) -> None:
        assert InstanceConfig(tier=Tier.STANDARD, features={"media": value}).allows("media")

    @pytest.mark.parametrize("value", ["50", -1, True, 1.5, 1e300, float("inf"), [], {}])
    def test_a_limit_that_is_none_leaves_the_tiers_word(self, value: object) -> None:
        config = InstanceConfig(tier=Tier.STANDARD, limitations={"maxStudents": value})
        assert config.limit("maxStudents") == 200

    @pytest.mark.parametrize("value", [None, [], "text", 5])
    def test_columns_that_are_no_objects_hold_no_exception(self, value: object) -> None:
        config = InstanceConfig(tier=Tier.BASIC, features=value, limitations=value)
        assert (config.allows("media"), config.limit("maxCourses")) == (False, 10)

    def test_an_unknown_name_is_an_error_that_says_what_there_is(self) -> None:
        config = InstanceConfig(tier=Tier.BASIC, features={"medai": True})
        with pytest.raises(UnknownFeature, match="'medai', only engagement, media, premium"):
            config.allows("medai")
        with pytest.raises(UnknownFeature, match="'media', only maxStudents, maxCourses, maxSto"):
            config.limit("media")
