"""Sealing and opening one field, beside the cipher alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.encryption.keys import KeyPurpose, key_source
from app.core.encryption.sealing import NONCE_BYTES, SealedColumn
from app.core.ids import new_id
from tests.bench.figures import Figure
from tests.bench.one_query import route_of_slug
from tests.bench.stage import Stage

FIELD_BYTES = 64
BOUND_BYTES = 40
SHARE_OF_QUERIES = 50
Act = Callable[[], object]


def measure_sealing(stage: Stage) -> Iterator[Figure]:
    """Seal and open 64 bytes under a tenant's key, uses counted, against one cipher object with a fresh nonce each."""
    plaintext, bound, nonce = os.urandom(FIELD_BYTES), os.urandom(BOUND_BYTES), os.urandom(NONCE_BYTES)
    bare, row_id = AESGCM(os.urandom(32)), new_id()
    ciphertext = bare.encrypt(nonce, plaintext, bound)
    pool = stage.pool(stage.scale.pool_tenants[0])
    with pool.app():
        tenant_id = route_of_slug(pool.slugs(1)[0]).tenant_id
        column = SealedColumn(key_source().keyring(tenant_id, KeyPurpose.FIELDS), "members", "email")
        sealed = column.seal(row_id, plaintext)
        pairs: dict[str, tuple[Act, Act]] = {
            "field_encrypt_vs_bare": (
                lambda: bare.encrypt(os.urandom(NONCE_BYTES), plaintext, bound),
                lambda: column.seal(row_id, plaintext),
            ),
            "field_decrypt_vs_bare": (
                lambda: bare.decrypt(nonce, ciphertext, bound),
                lambda: column.open(row_id, sealed),
            ),
        }
        for name, (alone, ours) in pairs.items():
            yield _compare(name, alone, ours, stage)


def _compare(name: str, alone: Act, ours: Act, stage: Stage) -> Figure:
    times = stage.scale.queries * SHARE_OF_QUERIES
    rounds = [(_seconds(alone, times), _seconds(ours, times)) for _ in range(stage.scale.rounds + 1)][1:]
    micros = round(min(took for _, took in rounds) / times * 1e6, 2)
    return Figure.of_rounds(name, [bare / took for bare, took in rounds], "ratio", ours_microseconds=micros)


def _seconds(act: Act, times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        act()
    return time.process_time() - began
