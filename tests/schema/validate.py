# validate.py - are JSON texts as their schema has them, and has it all of them
#
# python3 validate.py SCHEMA FILE...
#
# By python3-jsonschema.  Our schemas let members be added; here one that they
# do not name is an error, so that none is forgotten: where an object has
# properties they are all that it may have.
import json
import sys

import jsonschema


def closed(schema):
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


with open(sys.argv[1]) as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(closed(schema))
bad = 0
for name in sys.argv[2:]:
    with open(name) as file:
        for error in validator.iter_errors(json.load(file)):
            path = "/".join(map(str, error.absolute_path))
            print(f"{name}: /{path}: {error.message[:200]}")
            bad = 1
sys.exit(bad)
