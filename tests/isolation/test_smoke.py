from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import tenant_scope
from tests.isolation.toy import Toy, make_home, toy_tables  # noqa: F401
from sqlalchemy import select


def test_smoke(app, instance, toy_tables):
    acme, globex = make_home(instance), make_home(instance)
    with tenant_scope(acme, reason="t"), transaction():
        db.session.add(Toy(name="acme"))
    with tenant_scope(globex, reason="t"):
        assert db.session.scalars(select(Toy)).all() == []
    with tenant_scope(acme, reason="t"):
        assert len(db.session.scalars(select(Toy)).all()) == 1
    r = app.test_client().get("/healthz", headers={"Host": "10.0.0.1"})
    assert r.status_code == 200
    r = app.test_client().get("/readyz", headers={"Host": "10.0.0.1"})
    assert r.json == {"status": "ready"}
    r = app.test_client().get("/x", headers={"Host": "admin.localhost"})
    assert r.status_code == 404
