"""The OpenAPI document and the server say the same, whatever is sent."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.conftest import Served, server

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.slow
def test_the_server_keeps_to_its_document(served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMORANK_DATA", str(served.root.parent / "data"))
    monkeypatch.chdir(tmp_path)
    with server("calls") as address:
        options = ["--max-examples", "10", "--checks", CHECKS, "--seed", "1", "--no-color"]
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}openapi.json", *options]
        run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr
    assert "39 selected / 39 total" in run.stdout


def test_every_operation_says_what_it_does(served: Served) -> None:
    document = served.client.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 39
    for operation in operations:
        assert operation["description"].endswith(".")
        refusals = [status for status in operation["responses"] if status.startswith(("4", "5"))]
        assert {"401", "403"} <= set(refusals)
        for status in refusals:
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}
