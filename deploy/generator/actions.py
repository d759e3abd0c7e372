"""The variable ACTIONS, and the variables that entries name.

ACTIONS is a JSON text in Fn::Sub. Fn::ToJsonString would need another transform, AWS::NoValue in its lists may become null, and it may
not be resolved within Fn::If (aws-cloudformation/cfn-language-discussion#143). A text needs parameters whose patterns allow neither
quotes nor backslashes, which the generator checks.
"""

import json
import re

from .cloudformation import Function, dump, if_, ref, sub
from .entries import is_optional


def in_sub(value):
    """A value as it stands within the text of Fn::Sub."""
    if not isinstance(value, Function):
        return str(value).replace("${", "${!")
    if value.name in ("Ref", "GetAtt"):
        return f"${{{value.value}}}"
    return value.value


def json_text(value):
    """A value as JSON within the text of Fn::Sub."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(key)}:{json_text(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, Function):
        # Every second part is a name such as ${AWS::Region}, which Fn::Sub replaces.
        parts = re.split(r"(\$\{[^!}][^}]*\})", in_sub(value))
        return '"' + "".join(part if index % 2 else json.dumps(part)[1:-1] for index, part in enumerate(parts)) + '"'
    return json.dumps(value, allow_nan=False).replace("${", "${!")


def element(entry, action, comma):
    """One element of the array, which begins with the comma if it is not the first."""
    text, optional = f"{comma}{{", {}
    for index, (name, value) in enumerate(action.items()):
        before = "," if index else ""
        if is_optional(value):
            condition, inner, _ = value.value
            variable = f"{name[0].upper()}{name[1:]}"
            optional[variable] = if_(condition, sub(f"{before}{json.dumps(name)}:{json_text(inner)}"), "")
            text += f"${{{variable}}}"
        else:
            text += f"{before}{json.dumps(name)}:{json_text(value)}"
    return sub([text + "}", optional]) if optional else sub(text + "}")


def elements(entries):
    for index, entry in enumerate(entries):
        comma = "," if index else ""
        value = element(entry, entry.action, comma)
        yield entry.name, if_(entry.condition, value, "") if entry.condition else value
        if entry.previous_version:
            previous = {**entry.action, "actionType": {**entry.id, "version": ref(entry.previous_version)}}
            yield f"{entry.name}Previous", if_(entry.has_previous_version, element(entry, previous, ","), "")


def text(entries, indent):
    parts = dict(elements(entries))
    actions = {"ACTIONS": sub(["[" + "".join(f"${{{name}}}" for name in parts) + "]", parts])}
    variables = {name: entry.under_condition(value) for entry in entries for name, value in entry.variables.items()}
    return dump({**actions, **variables}, indent)
