"""Models made of the product's tables: the same columns, uniqueness, indexes and foreign keys under other names.

Django's foreign keys lead to one column, so the primary key is the id alone; checks are left out.
"""

import json
import os
from pathlib import Path

from django.db import models

TABLES = json.loads(Path(os.environ["PEER_TABLES"]).read_text())
ACTIONS = {"CASCADE": models.CASCADE, "RESTRICT": models.RESTRICT}
FIELDS = {
    "BIGINT": models.BigIntegerField,
    "BOOLEAN": models.BooleanField,
    "BYTEA": models.BinaryField,
    "FLOAT": models.FloatField,
    "INTEGER": models.IntegerField,
    "JSONB": models.JSONField,
    "TEXT": models.TextField,
    "TIMESTAMP WITH TIME ZONE": models.DateTimeField,
    "UUID": models.UUIDField,
}


def _field(table, column):
    if column["name"] in table["references"]:
        target, action = table["references"][column["name"]]
        kept = {"null": column["null"], "db_index": False, "db_column": column["name"], "related_name": "+"}
        return models.ForeignKey(_class_name(target), ACTIONS.get(action, models.SET_NULL), **kept)
    if column["name"] == "id":
        return models.UUIDField(primary_key=True)
    options = {"db_collation": column["collation"]} if column["collation"] else {}
    return FIELDS[column["type"]](null=column["null"], **options)


def _field_name(table, column):
    return column.removesuffix("_id") if column in table["references"] else column


def _class_name(table):
    return "".join(word.title() for word in table.split("_"))


def _model(name, table):
    fields = {_field_name(table, column["name"]): _field(table, column) for column in table["columns"]}
    # Django allows an index's name thirty characters.
    keys = [[_field_name(table, column) for column in columns] for columns in table["unique"]]
    indexes = [[_field_name(table, column) for column in columns] for columns in table["indexes"]]
    options = {
        "db_table": name,
        "constraints": [models.UniqueConstraint(fields=f, name=f"uq_{name[:20]}_{i}") for i, f in enumerate(keys)],
        "indexes": [models.Index(fields=f, name=f"ix_{name[:20]}_{i}") for i, f in enumerate(indexes)],
    }
    meta = type("Meta", (), options)
    return type(_class_name(name), (models.Model,), {**fields, "Meta": meta, "__module__": __name__})


MODELS = {name: _model(name, table) for name, table in TABLES.items()}
