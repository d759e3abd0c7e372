"""Evaluates the functions of a template as CloudFormation would, for tests."""

import re

from .cloudformation import NO_VALUE, Function


def evaluated(value, conditions, names):
    """The value, where these conditions hold. `names` has the values of parameters and resources, and of their attributes."""
    if isinstance(value, dict):
        members = {key: evaluated(member, conditions, names) for key, member in value.items()}
        return {key: member for key, member in members.items() if member != NO_VALUE}
    if isinstance(value, list):
        members = [evaluated(member, conditions, names) for member in value]
        return [member for member in members if member != NO_VALUE]
    if not isinstance(value, Function) or value == NO_VALUE:
        return value
    if value.name == "If":
        return evaluated(value.value[1 if value.value[0] in conditions else 2], conditions, names)
    if value.name == "Sub":
        text, local = value.value if isinstance(value.value, list) else (value.value, {})
        known = {**names, **{name: evaluated(one, conditions, names) for name, one in local.items()}}
        filled = re.sub(r"\$\{([^!}]+)\}", lambda match: str(known[match[1]]), text)
        return filled.replace("${!", "${")
    if value.name in ("Ref", "GetAtt"):
        return names[value.value]
    raise NotImplementedError(f"!{value.name} {value.value}")
