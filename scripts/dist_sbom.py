"""Takes out of a CycloneDX bill of materials what differs from machine to machine.

Usage: dist_sbom.py FROM TO, at the root of the repository. It removes the time and
the random serial number, which the format allows to be absent, and the path of
the checkout.
"""

import json
import os
import sys


def main(source, target):
    root = os.getcwd()
    with open(source, encoding="utf-8") as file:
        text = file.read().replace(root, "/n8n-idp-gate")
    bill = json.loads(text)
    bill.pop("serialNumber", None)
    bill["metadata"].pop("timestamp", None)
    if not bill.get("components"):
        sys.exit(f"error: {source} names no component")
    with open(target, "w", encoding="utf-8") as file:
        json.dump(bill, file, indent=2, sort_keys=True)
        file.write("\n")


main(*sys.argv[1:])
