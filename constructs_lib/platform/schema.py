"""Writes the JSON Schema of `platform.yaml` for editors: `python -m constructs_lib.platform.schema FILE`."""

import json
import sys
from pathlib import Path
from typing import Any

from constructs_lib.platform.document import Platform

ID = "https://raw.githubusercontent.com/vendettaopppp/ml-inference-service/main/platform.schema.json"


def platform_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12."""
    schema = Platform.model_json_schema(mode="validation", by_alias=True)
    tenant = schema["$defs"]["Tenant"]
    # The model holds effective values; in the file, a tenant's image is optional.
    tenant["required"].remove("image")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, "title": "Tenantry's platform.yaml"}
    return {**schema, **head}


def platform_schema_text() -> str:
    """The text of `platform.schema.json`."""
    return json.dumps(platform_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(platform_schema_text(), encoding="utf-8")
