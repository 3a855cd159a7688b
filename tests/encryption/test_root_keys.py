"""Root keys in a file: what wraps, what opens, and every way in which the file can be wrong."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from app.core.secrets import UnwrapError
from app.encryption.root_keys import FileRootKeys, RootKeyError, WrappedKey

KEY, PLACE = bytes(range(32)), b"key-encryption-key/platform/1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "root_key"
    made.write_text(secrets.token_urlsafe(32) + "\n")
    made.chmod(0o600)
    return made


def root_keys(path: Path, *, is_production: bool = True) -> FileRootKeys:
    return FileRootKeys(path, is_production=is_production)


def test_what_was_wrapped_opens_at_its_place_only(path: Path) -> None:
    wrapped = root_keys(path).wrap(KEY, PLACE)
    assert root_keys(path).unwrap(wrapped, PLACE) == KEY
    with pytest.raises(UnwrapError):
        root_keys(path).unwrap(wrapped, b"key-encryption-key/platform/2")


def test_a_further_key_wraps_from_now_on_and_the_older_one_still_opens(path: Path) -> None:
    before = root_keys(path).wrap(KEY, PLACE)
    path.write_text(path.read_text() + secrets.token_urlsafe(32) + "\n")
    after = root_keys(path).wrap(KEY, PLACE)
    assert after.root_key == root_keys(path).current() != before.root_key
    assert [root_keys(path).unwrap(wrapped, PLACE) for wrapped in (before, after)] == [KEY, KEY]


def test_another_root_key_is_named_and_refused(path: Path) -> None:
    wrapped = root_keys(path).wrap(KEY, PLACE)
    path.write_text(secrets.token_urlsafe(32))
    with pytest.raises(RootKeyError, match=f"wrapped by root key {wrapped.root_key}, which .* does not hold"):
        root_keys(path).unwrap(wrapped, PLACE)


def test_a_reference_that_is_claimed_falsely_opens_nothing(path: Path) -> None:
    wrapped = root_keys(path).wrap(KEY, PLACE)
    path.write_text(secrets.token_urlsafe(32))
    with pytest.raises(UnwrapError):
        root_keys(path).unwrap(WrappedKey(root_keys(path).current(), wrapped.wrapped), PLACE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_file_that_others_may_touch_is_refused_in_production(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(RootKeyError, match="open to other users"):
        root_keys(path).current()
    assert root_keys(path, is_production=False).current()


@pytest.mark.parametrize("text", ["", "\n", "short", "x" * 42, "!" * 43, "a" * 43 + "\n" + "b" * 20])
def test_a_file_without_a_proper_key_says_so_and_nothing_of_what_it_holds(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(RootKeyError) as error:
        root_keys(path).current()
    assert not text.strip() or text.rsplit(maxsplit=1)[-1] not in str(error.value)


def test_a_file_that_is_missing_or_none_of_text_says_so(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RootKeyError, match="cannot be read"):
        root_keys(path).current()
    path.unlink()
    with pytest.raises(RootKeyError, match="cannot be read"):
        root_keys(path).wrap(KEY, PLACE)
