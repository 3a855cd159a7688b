"""The settings: what is refused, and where they come from when the environment leaves them open."""

import subprocess
import sys

import click
import pytest

from app.core.config import Settings, load_settings, read_environment, root_secret, to_environment
from app.core.errors import ConfigError
from app.instance.instance_file import InstanceFile

SECRET = "a-root-secret-that-nobody-else-knows"
PRODUCTION = {
    "TENANTRY_ENV": "production",
    "SECRET_KEY": SECRET,
    "ISOLATION_SIGNING_KEY": "s" * 43,
    "ROOT_KEY_FILE": "/run/secrets/root_key",
    "DATABASE_PLATFORM_URL": "postgresql://platform:pw@db/tenantry",
    "DATABASE_TENANT_URL": "postgresql://tenant:pw@db/tenantry",
    "REDIS_URL": "redis://:pw@queue",
    "SMTP_URL": "smtps://user:pw@mail",
    "URL_SCHEME": "https",
}
RUNNING = {
    "DATABASE_PLATFORM_URL": "postgresql://running",
    "SECRET_KEY": 'it\'s "quoted" $HOME\n' + SECRET,
    "PORT": "8123",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    """Take away whatever this shell sets."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


@pytest.fixture
def running(tmp_path, monkeypatch):
    """VAR_DIR of an instance that runs."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    file = InstanceFile(tmp_path, RUNNING)
    yield tmp_path
    file.remove()


@pytest.fixture
def abandoned(tmp_path, monkeypatch):
    """VAR_DIR of an instance whose supervisor was killed."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    code = f"from app.instance.instance_file import *; InstanceFile(Path({str(tmp_path)!r}), {RUNNING!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "instance.env").exists()


def test_production_with_everything_is_accepted():
    assert read_environment(**PRODUCTION).is_production


@pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"TENANTRY_ENV", "URL_SCHEME"}))
def test_production_needs_every_secret(name):
    given = {key: value for key, value in PRODUCTION.items() if key != name}
    with pytest.raises(ConfigError, match=f"production needs {name}$"):
        read_environment(**given)


def test_production_refuses_plain_http():
    with pytest.raises(ConfigError, match="production needs URL_SCHEME=https"):
        read_environment(**PRODUCTION | {"URL_SCHEME": "http"})


@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_short_root_secret_is_refused_and_not_shown(environment):
    with pytest.raises(ConfigError, match="SECRET_KEY must have at least 32 characters") as refusal:
        read_environment(**PRODUCTION | {"TENANTRY_ENV": environment, "SECRET_KEY": "hunter2" * 4})
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("key", ["Hunter2", "Hunter2" * 7, "Hunter2!" * 6])
def test_a_signing_key_of_another_shape_is_refused_and_not_shown(key):
    with pytest.raises(ConfigError, match="ISOLATION_SIGNING_KEY must be 32 bytes in base64url") as refusal:
        read_environment(ISOLATION_SIGNING_KEY=key)
    assert "Hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", ["TENANTRY_ENV", "PORT", "URL_SCHEME", "ROLE_PREFIX", "DATABASE_POOL_SIZE", "DEMO"])
def test_a_value_that_cannot_be_used_is_named_and_not_shown(name):
    with pytest.raises(ConfigError, match=f"Configuration refused: {name}: ") as refusal:
        read_environment(**PRODUCTION | {name: "Hunter2!"})
    assert "Hunter2" not in str(refusal.value)
    assert "pw@" not in str(refusal.value)


def test_settings_do_not_show_their_secrets():
    shown = repr(read_environment(**PRODUCTION))
    assert SECRET not in shown
    assert "pw@" not in shown


def test_a_setting_left_empty_is_not_given(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "")
    assert read_environment(SECRET_KEY=SECRET).model_fields_set == {"secret_key"}


def test_settings_can_be_handed_on_as_an_environment(monkeypatch):
    settings = read_environment(**PRODUCTION, DEMO="0", PORT="8123")
    for name, value in to_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert read_environment() == settings


def test_a_process_without_a_root_secret_says_so():
    with pytest.raises(ConfigError, match="SECRET_KEY is missing"):
        root_secret(read_environment())


def test_another_shell_uses_the_running_instance(running):
    assert to_environment(load_settings()) == RUNNING | {"VAR_DIR": str(running)}


def test_the_environment_wins_over_the_running_instance(running, monkeypatch):
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("SECRET_KEY", "")
    settings = load_settings(BASE_DOMAIN="example.test")
    assert (settings.port, settings.base_domain) == (9000, "example.test")
    assert root_secret(settings) == RUNNING["SECRET_KEY"]


def test_a_database_that_is_named_leaves_the_running_instance_alone(running):
    assert load_settings(DATABASE_PLATFORM_URL="postgresql://named").secret_key is None


def test_the_supervisor_never_reads_what_another_one_wrote(running):
    assert read_environment().database_platform_url is None


def test_production_never_reads_a_running_instance(running):
    with pytest.raises(ConfigError, match="production needs SECRET_KEY"):
        load_settings(TENANTRY_ENV="production")
    assert load_settings(**PRODUCTION).port == 8000


def test_without_a_database_and_an_instance_the_flask_command_says_what_to_do(tmp_path):
    with pytest.raises(click.ClickException, match=r"no instance runs on .*: start it with `make run`, or set DATA"):
        load_settings(VAR_DIR=tmp_path)


@pytest.mark.usefixtures("abandoned")
def test_an_instance_whose_supervisor_was_killed_does_not_run():
    with pytest.raises(ConfigError, match="no instance runs on"):
        load_settings()


def test_an_instance_of_another_user_is_one_sentence(running, monkeypatch):
    (running / "instance.env").unlink()
    (running / "instance.env").mkdir()
    with pytest.raises(ConfigError, match=r"instance\.env cannot be read \(Is a directory\)"):
        load_settings()
    (running / "instance.env").rmdir()
