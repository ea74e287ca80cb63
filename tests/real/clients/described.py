"""Calls n8n with a client that was generated from a description of its API.

Arguments: the description, a folder for the client, the address of the API, and a token. Checks the
description, generates the client, and prints the names of the workflows that it lists.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import validate

description, folder, url, token = sys.argv[1:]
document = json.loads(Path(description).read_text(encoding="utf-8"))
validate(document)

generated = Path(folder, "generated_client")
options = ["--path", description, "--meta", "none", "--output-path", str(generated)]
without_hooks = Path(folder, "config.yml")
without_hooks.write_text("post_hooks: []\n", encoding="utf-8")
subprocess.run(
    [sys.executable, "-m", "openapi_python_client", "generate", "--config", str(without_hooks), *options],
    check=True,
    stdout=sys.stderr,
)

sys.path.insert(0, folder)
client = importlib.import_module("generated_client").AuthenticatedClient(base_url=url, token=token)
endpoint = importlib.import_module("generated_client.api.workflow.get_workflows")
unset = importlib.import_module("generated_client.types").UNSET
# The request is that of the generated code. Its types of responses are n8n's own matter.
request = endpoint._get_kwargs(limit=100, offset=unset)
response = client.get_httpx_client().request(**request)
assert response.status_code == 200, response.text
print(json.dumps([workflow["name"] for workflow in response.json()["data"]]))
