"""Finds mistakes in `type`, the definition of a custom action type. The limits are those of CodePipeline's API."""

import re

from .cloudformation import Function

MEMBERS = ["executionUrl", "properties", "inputArtifacts", "outputArtifacts"]
PROPERTY = ["name", "description", "required", "key", "queryable", "secret"]


def mistakes(described, action):
    if not isinstance(described, dict):
        yield ".type", f"must be a mapping with the members {', '.join(MEMBERS)}"
        return
    for member in described:
        if member not in MEMBERS:
            yield f".type.{member}", f"is not a member; use {', '.join(MEMBERS)}"
    for member in ("inputArtifacts", "outputArtifacts"):
        counts = described.get(member)
        whole = isinstance(counts, list) and len(counts) == 2 and all(type(count) is int for count in counts)
        if not whole or not 0 <= counts[0] <= counts[1] <= 5:
            yield f".type.{member}", "must be [LEAST, MOST], two whole numbers from 0 to 5"
    properties = described.get("properties", [])
    if not isinstance(properties, list) or len(properties) > 10 or not all(isinstance(one, dict) for one in properties):
        yield ".type.properties", "must be a list of at most 10 mappings, each with a name"
        return
    for index, one in enumerate(properties):
        yield from in_property(one, f".type.properties[{index}]")
    names = [one.get("name") for one in properties]
    if len(set(map(str, names))) < len(names):
        yield ".type.properties", "has a name twice: give each property its own"
    yield from against_action(properties, action)
    yield from in_url(described.get("executionUrl"), properties)


def in_property(one, path):
    for member, value in one.items():
        if member not in PROPERTY:
            yield f"{path}.{member}", f"is not a member; use {', '.join(PROPERTY)}"
        elif member not in ("name", "description") and not isinstance(value, bool):
            yield f"{path}.{member}", "must be true or false"
    name, description = one.get("name"), one.get("description", "-")
    if not isinstance(name, str) or not 1 <= len(name) <= 50:
        yield f"{path}.name", "must be a text of 1 to 50 characters"
    if not isinstance(description, str) or not 1 <= len(description) <= 160:
        yield f"{path}.description", "must be a text of 1 to 160 characters"
    if one.get("queryable") and (not one.get("required") or one.get("secret")):
        yield path, "is queryable, so it must be required and not secret"


def against_action(properties, action):
    queryable = [one.get("name") for one in properties if one.get("queryable")]
    query = action.get("queryParam")
    asked = list(query) if isinstance(query, dict) else []
    if len(queryable) > 1:
        yield ".type.properties", "can have one queryable property"
    elif queryable != asked:
        yield ".action.queryParam", (
            f"must name the queryable property {queryable[0]}, or CodePipeline refuses the poll"
            if queryable
            else f"names {asked[0] if asked else 'no key'}, so this property of type must be queryable"
        )
    secrets = action.get("secrets")
    secrets = secrets if isinstance(secrets, list) else []
    for one in properties:
        if one.get("secret") and one.get("name") not in secrets:
            yield ".action.secrets", f"must name {one.get('name')}, which is secret in type, so that the worker masks it"
        elif one.get("name") in secrets and not one.get("secret"):
            yield ".type.properties", f"must have secret: true for {one.get('name')}, which is in secrets of action"


def in_url(url, properties):
    if url is None or url == "logs":
        return
    if not isinstance(url, str) or isinstance(url, Function) or not url.startswith("https://") or len(url) > 2048:
        yield ".type.executionUrl", "must be logs, or an https URL of at most 2048 characters with {ExternalExecutionId}"
        return
    usable = [one.get("name") for one in properties if one.get("required") and not one.get("secret")]
    for key in re.findall(r"\{Config:([^}]*)\}", url):
        if key not in usable:
            yield ".type.executionUrl", f"names {{Config:{key}}}: only a required property that is not secret can stand there"
