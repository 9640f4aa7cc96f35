"""Settings: file, variables and command line, and an error that names the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import SETTINGS_FILE, load_settings
from common.errors import InputError


def test_command_line_before_variables_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / SETTINGS_FILE).write_text('name = "file"\nport = 1111\nbrowser_slots = 2\n')
    monkeypatch.setenv("FLOTILLA_AGENT_PORT", "2222")
    monkeypatch.setenv("FLOTILLA_AGENT_BROWSER_SLOTS", "3")
    settings = load_settings(tmp_path, port=3333, host=None)
    assert (settings.name, settings.port, settings.browser_slots) == ("file", 3333, 3)
    assert settings.host == ""
    assert settings.data == tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 70000", "port in "),
        ("verify_ssl = false", "verify_ssl in "),
        ("log_level = 'loud'", "log_level in "),
        ("port = = 1", "not valid TOML"),
    ],
)
def test_bad_file_names_the_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(InputError, match=said) as error:
        load_settings(tmp_path)
    assert str(tmp_path / SETTINGS_FILE) in error.value.message


def test_bad_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOTILLA_AGENT_API_WORKERS", "many")
    with pytest.raises(InputError, match="FLOTILLA_AGENT_API_WORKERS"):
        load_settings(tmp_path)
