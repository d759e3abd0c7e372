"""Finds mistakes in actions.yaml. Each is a text: the path, the rule, and what to change.

The worker checks the rest of an action when it starts, because only the worker knows its parameters' values.
"""

import math
import re

from . import run, types
from .cloudformation import Function
from .entries import is_optional

MEMBERS = ["name", "condition", "previousVersion", "action", "variables", "type"]
# The members of an entry of ACTIONS (docs/configuration.md).
ACTION = ["actionType", "queryParam", "secrets", "timeoutSeconds", "onCrash", "shared", "logOutput", "role", "run"]
CATEGORIES = ["Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"]
OWNERS = ["Custom", "ThirdParty", "AWS"]
ROLE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[\w+=,.@/-]+")
# Lambda allows 4 KB for the names and values of all variables. The others need less than 1,000 bytes.
MOST_BYTES = 3000


def find(entries, template):
    """The mistakes of the entries, in their order. The template is without its generated blocks."""
    if not isinstance(entries, list) or not entries:
        return ["must be a list with an entry for each action type, at least one"]
    found = []
    for index, entry in enumerate(entries):
        found += [f"[{index}]{path}: {rule}" for path, rule in in_entry(entry, template)]
    names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
    found += [f"name {name} stands {names.count(name)} times: give each entry its own" for name in sorted(twice(names))]
    found += [f"[{index}].action: is for the same jobs as [{first}]: change actionType or queryParam" for first, index in same_jobs(entries)]
    names = [name for entry in entries if isinstance(entry, dict) for name in mapping(entry.get("variables"))]
    found += [f"variable {name} stands {names.count(name)} times: give each entry its own" for name in sorted(twice(names))]
    if not found and entries[0].get("condition"):
        found.append("[0].condition: the first entry can't have one, because ACTIONS can't be empty: move another entry to the top")
    if not found:
        found += too_long(entries)
    return found


def mapping(value):
    return value if isinstance(value, dict) else {}


def twice(names):
    return {name for name in names if isinstance(name, str) and names.count(name) > 1}


def same_jobs(entries):
    """The places of each two entries that would get the same jobs. Two conditions may exclude each other."""
    seen = []
    for index, entry in enumerate(map(mapping, entries)):
        action, condition = mapping(entry.get("action")), entry.get("condition")
        jobs = action.get("actionType"), action.get("queryParam")
        for first, others, other_condition in seen:
            if jobs[0] is not None and jobs == others and (condition == other_condition or not condition or not other_condition):
                yield first, index
                break
        seen.append((index, jobs, condition))


def in_entry(entry, template):
    if not isinstance(entry, dict):
        yield "", "must be a mapping with the members name and action"
        return
    yield from only_known(entry, "", MEMBERS)
    name, condition, previous = entry.get("name"), entry.get("condition"), entry.get("previousVersion")
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z0-9]{1,60}", name):
        yield ".name", "must have 1 to 60 letters and digits: it becomes the name of a resource"
    else:
        for section, what in [("Resources", "a resource"), ("Parameters", "a parameter")]:
            if name in template.get(section, {}):
                yield ".name", f"is the name of {what} of template.yaml: choose another"
    if condition is not None and not isinstance(condition, str):
        yield ".condition", "must be the name of one condition of template.yaml"
    elif condition is not None and condition not in template.get("Conditions", {}):
        yield ".condition", f"names no condition of template.yaml: add {condition} to its section Conditions"
    if previous is not None and not isinstance(previous, str):
        yield ".previousVersion", "must be the name of one parameter of template.yaml"
    elif previous is not None and previous not in template.get("Parameters", {}):
        yield ".previousVersion", f"names no parameter of template.yaml: add {previous}, with the default \"\""
    action = entry.get("action")
    if not isinstance(action, dict):
        yield ".action", "must be the entry of ACTIONS, with actionType and run (docs/configuration.md)"
        return
    yield from in_action(action, condition)
    yield from run.mistakes(action, entry.get("type"))
    yield from in_values(entry, "", template)
    owner = action.get("actionType", {}).get("owner") if isinstance(action.get("actionType"), dict) else None
    if previous is not None and owner != "Custom":
        yield ".previousVersion", "works only with the owner Custom: remove it"
    if "type" in entry and owner != "Custom":
        yield ".type", "works only with the owner Custom, because AWS defines the others: remove it"
    elif "type" in entry:
        yield from types.mistakes(entry["type"], action)
    yield from in_variables(entry.get("variables", {}), template)


def in_variables(variables, template):
    if not isinstance(variables, dict) or not all(re.fullmatch("[A-Z][A-Z0-9_]*", str(key)) for key in variables):
        yield ".variables", "must be a mapping from names in upper case (WEBHOOK_SECRET) to values"
        return
    function = mapping(template.get("Resources", {}).get("Function")).get("Properties", {})
    taken = {"ACTIONS", *mapping(mapping(function.get("Environment")).get("Variables"))}
    for name, value in variables.items():
        if name in taken:
            yield f".variables.{name}", "is a variable that template.yaml sets: choose another name"
        if value is None or isinstance(value, (dict, list)):
            yield f".variables.{name}", "must be one text, number or function"


def in_action(action, condition):
    yield from only_known(action, ".action", ACTION)
    if next(iter(action), None) != "actionType":
        yield ".action", "must begin with the member actionType"
    action_type = action.get("actionType")
    if not isinstance(action_type, dict) or set(action_type) != {"category", "owner", "provider", "version"}:
        yield ".action.actionType", "must have the members category, owner, provider and version, and no others"
        return
    for member, allowed in [("owner", OWNERS), ("category", CATEGORIES)]:
        value = action_type[member]
        if value not in allowed and not (member == "category" and isinstance(value, Function)):
            yield f".action.actionType.{member}", f"must be one of {', '.join(allowed)}"
    for member, longest in [("provider", 35), ("version", 9)]:
        value = action_type[member]
        if not isinstance(value, Function) and not (
            isinstance(value, str) and re.fullmatch(f"[0-9A-Za-z_-]{{1,{longest}}}", value)
        ):
            yield f".action.actionType.{member}", f"must be a text of 1 to {longest} of [0-9A-Za-z_-]: put quotes around a number"
    secrets = action.get("secrets", [])
    if not isinstance(secrets, list) or not all(isinstance(name, str) for name in secrets):
        yield ".action.secrets", "must be a list of the names of secret properties, such as [ApiToken]"
    work = action.get("run")
    if not isinstance(work, dict) or len(work) != 1 or next(iter(work)) not in ("command", "http", "stateMachine"):
        yield ".action.run", "must have exactly one member: command, http or stateMachine"
    owner, role = action_type["owner"], action.get("role")
    if owner == "ThirdParty" and condition != "HasThirdParty":
        yield ".condition", "must be HasThirdParty for the owner ThirdParty, because client tokens need ClientTokensSecret"
    if role is not None and owner == "ThirdParty":
        yield ".action.role", "is not for the owner ThirdParty: a customer's action gets no credentials of this account"
    role = role.value[1] if is_optional(role) else role
    if role is not None and not isinstance(role, Function) and not (isinstance(role, str) and ROLE.fullmatch(role)):
        yield ".action.role", "must be the ARN of one role, such as arn:aws:iam::111122223333:role/deploy, without a wildcard"


def in_values(value, path, template):
    """The functions within a value, and the parameters that they name."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                yield f"{path}.{key}", "must have a text as its name: put quotes around it"
            yield from in_values(member, f"{path}.{key}", template)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from in_values(member, f"{path}[{index}]", template)
    elif isinstance(value, Function) and value.name in ("Ref", "GetAtt", "Sub") and isinstance(value.value, str):
        names = re.findall(r"\$\{([^!}][^}]*)\}", value.value) if value.name == "Sub" else [value.value]
        for name in names:
            yield from in_name(name, path, template)
    elif is_optional(value) and path.count(".") == 2 and path.startswith(".action."):
        if value.value[0] not in template.get("Conditions", {}):
            yield path, f"names no condition of template.yaml: add {value.value[0]} to its section Conditions"
        yield from in_values(value.value[1], path, template)
    elif isinstance(value, Function):
        yield path, f"can't have !{value.name} here: use !Ref, !GetAtt or !Sub TEXT, or !If [CONDITION, VALUE, !Ref AWS::NoValue] for a member of action"
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, "must be a finite number, because JSON has no other"
    elif value is not None and not isinstance(value, (str, int, float)):
        yield path, f"can't be a {type(value).__name__}, which JSON does not have: put quotes around a text"


def in_name(name, path, template):
    parameter = template.get("Parameters", {}).get(name)
    if parameter is None:
        known = name.startswith("AWS::") or name.split(".")[0] in template.get("Resources", {})
        if not known:
            yield path, f"names no parameter or resource of template.yaml: add {name}"
    elif path.startswith(".action.") and may_break_json(parameter):
        yield path, f"names the parameter {name}, which may hold quotes: give it an AllowedPattern without quotes and backslashes"


def may_break_json(parameter):
    if "AllowedValues" in parameter or parameter["Type"] == "Number":
        return False
    pattern = parameter.get("AllowedPattern")
    if pattern is None:
        return True
    classes = re.findall(r"\[(\^?)((?:\\.|[^\]])*)\]", pattern)
    rest = re.sub(r"\[\^?(?:\\.|[^\]])*\]", "", pattern)
    # A class that excludes characters must exclude these two, and one that lists characters must not list them.
    breaks = [("\"" not in text or "\\\\" not in text) if negated else "\"" in text or "\\\\" in text for negated, text in classes]
    return any(breaks) or "\"" in rest or re.search(r"(?<!\\)\.|\\[^.+()/-]", rest) is not None


def too_long(entries):
    from . import actions
    from .entries import Entry

    def whole(action):
        return {name: value.value[1] if is_optional(value) else value for name, value in action.items()}

    length = sum(len(actions.json_text(whole(entry.action))) for entry in map(Entry, entries))
    if length > MOST_BYTES:
        yield f"ACTIONS has about {length} bytes, and more than {MOST_BYTES} leave no room for other variables (Lambda allows 4 KB): split the stack"


def only_known(members, path, known):
    for member in members:
        if member not in known:
            yield f"{path}.{member}", f"is not a member; use {', '.join(known)}"
