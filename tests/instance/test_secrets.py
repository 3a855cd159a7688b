"""The generated secrets."""

from dataclasses import astuple

from app.instance.secrets import load_or_create


def test_secrets_stay_the_same(tmp_path):
    assert load_or_create(tmp_path) == load_or_create(tmp_path)


def test_secrets_are_long_and_differ(tmp_path):
    values = astuple(load_or_create(tmp_path))
    assert len(set(values)) == 6
    assert min(map(len, values)) >= 43


def test_only_their_owner_can_read_them(tmp_path):
    load_or_create(tmp_path)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()}
    assert modes == {0o600}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_two_machines_have_nothing_in_common(tmp_path):
    assert not set(astuple(load_or_create(tmp_path / "a"))) & set(astuple(load_or_create(tmp_path / "b")))


def test_a_file_left_empty_gets_its_secret(tmp_path):
    load_or_create(tmp_path)
    (tmp_path / "secrets" / "secret_key").write_text("")
    assert len(load_or_create(tmp_path).secret_key) >= 43


def test_they_do_not_show_in_a_traceback(tmp_path):
    known = load_or_create(tmp_path)
    assert known.secret_key not in repr(known)
