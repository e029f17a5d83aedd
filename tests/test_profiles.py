"""An optional model is part of a profile where its adapter is there, and silently not where it isn't."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from medilite.errors import ModelUnavailableError, ProfileError, UnknownModelError
from medilite.lab.own_adapter import COLOURS
from medilite.models import PROFILES_DIR, ROOT, load_profile
from medilite.ui.page.about import about_html


def write(folder: Path, **dpo: object) -> Path:
    """Write lite as a profile of the test's folder; return its path."""
    raw = yaml.safe_load((PROFILES_DIR / "lite.yaml").read_text(encoding="utf-8"))
    for model in [*raw["models"], *raw["rewriters"]]:
        if "adapter" in model:
            model["adapter"] = model["id"]
    raw["models"][-1] |= dpo
    path = folder / "profile.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return path


def test_absent_it_is_not_there_and_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path)
    profile = load_profile(str(path))
    assert profile.ids == ("base", "sft-r8-low", "sft-r8-high", "sft-r16-low", "sft-r16-high", "grpo")
    assert caplog.text == ""
    assert "six checkpoints" in about_html(profile)
    assert load_profile(str(path), with_absent=True).ids[-1] == "dpo"


def test_present_it_is_the_seventh(tmp_path: Path) -> None:
    for model in ("sft-r16-high", "grpo", "dpo"):
        (tmp_path / model).mkdir()
    profile = load_profile(str(write(tmp_path)))
    assert [spec.id for spec in profile.chain("dpo")] == ["sft-r16-high", "grpo", "dpo"]
    assert "seven checkpoints" in about_html(profile)


def test_a_rewriter_is_no_model_to_compare_and_is_there_with_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert load_profile(str(path)).rewriters == ()
    (tmp_path / "sourced").mkdir()
    profile = load_profile(str(path))
    assert [spec.id for spec in profile.rewriters] == ["sourced"]
    assert "sourced" not in profile.ids
    assert "six checkpoints" in about_html(profile)
    assert "Rewriter" in about_html(profile)
    assert "sourced" not in {spec.id for spec in profile.select("all", rewriters=True)}
    assert [spec.id for spec in profile.select("sourced,base", rewriters=True)] == ["base", "sourced"]
    with pytest.raises(ModelUnavailableError, match="'sourced' can't be chosen here: it answers from a passage alone"):
        profile.select("base,sourced")
    with pytest.raises(UnknownModelError, match="''"):
        profile.select("")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    for change, said in (({"id": "grpo"}, "share an id"), ({"adapter": None}, "has no adapter")):
        path.write_text(yaml.safe_dump(raw | {"rewriters": [raw["rewriters"][0] | change]}), encoding="utf-8")
        with pytest.raises(ProfileError, match=said):
            load_profile(str(path))


def test_without_what_it_stands_on_it_is_absent_too(tmp_path: Path) -> None:
    (tmp_path / "dpo").mkdir()
    assert "dpo" not in load_profile(str(write(tmp_path))).ids


def test_a_date_that_is_none_is_said(tmp_path: Path) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text("name: mine\nbase: {source: hub, model: a, revision: 2024-13-45}\n", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"profile\.yaml is not valid YAML: month must be in 1\.\.12"):
        load_profile(str(file))


def test_a_wrong_optional_model_is_still_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="Did you mean 'grpo'"):
        load_profile(str(write(tmp_path, stacked_on="gpro")))


@pytest.mark.parametrize("theme", ["colour", "colour_dark"])
@pytest.mark.parametrize("profile", ["lite", "paper"])
def test_every_two_models_and_the_text_are_told_apart_by_colour_blind_eyes(profile: str, theme: str) -> None:
    """CIE76 distance after Machado et al. 2009, severity 1: 2.3 is just noticeable, 15 plainly another colour."""
    models = load_profile(profile, with_absent=True).every
    assert len(models) >= 6
    style = (ROOT / "assets/style/base.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"--ml-ink: (#\w{6})", style)
    colours = {model.id: getattr(model, theme) for model in models} | {"text": light if theme == "colour" else dark}
    brought = {name: pair[theme == "colour_dark"] for name, pair in COLOURS.items()}
    pairs = [*combinations(colours, 2), *((name, other) for name in brought for other in colours)]
    shown = colours | brought
    near = {(a, b, eyes): round(_distance(shown[a], shown[b], eyes), 1) for a, b in pairs for eyes in _EYES}
    assert {pair: distance for pair, distance in near.items() if distance < 15} == {}
    assert all(a.label != b.label for a, b in combinations(models, 2))


_EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def _distance(first: str, second: str, eyes: str) -> float:
    return sum((a - b) ** 2 for a, b in zip(_lab(first, eyes), _lab(second, eyes), strict=True)) ** 0.5


def _lab(colour: str, eyes: str) -> tuple[float, float, float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    r, g, b = (min(1, max(0, sum(w * p for w, p in zip(row, linear, strict=True)))) for row in _EYES[eyes])
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)
