"""Finds mistakes in `run.command` and `timeoutSeconds`. The worker would find them only when the deployed function starts."""

import re

from .cloudformation import Function

PLACEHOLDER = re.compile(r"(?<!\$)\{Config:([^{}]*)\}")
# {config:Key}, {Configuration:Key}, ${Config:Key}. The worker refuses a few others too.
MISSPELT = re.compile(r"\$\{Config:[A-Za-z][^{}:]*\}|(?<!\$)\{(?!Config:)(?i:config|configs|configuration)\s*:\s*[A-Za-z][\w .-]*\}")


def mistakes(action, described):
    seconds = action.get("timeoutSeconds", 1)
    if isinstance(seconds, (str, int)) and (isinstance(seconds, bool) or not re.fullmatch("[1-9][0-9]*", str(seconds))):
        yield ".action.timeoutSeconds", "must be a whole number of seconds, 1 or more"
    run = action.get("run")
    if not isinstance(run, dict) or "command" not in run:
        return
    command = run["command"]
    if not isinstance(command, list) or not command or not all(isinstance(one, (str, Function)) for one in command):
        yield ".action.run.command", "must be a list of texts: the program, then its arguments, such as [bash, -c, make check]"
        return
    for index, argument in enumerate(command):
        for rule in in_argument(argument, action, described):
            yield f".action.run.command[{index}]", rule


def in_argument(argument, action, described):
    text = argument.value if isinstance(argument, Function) else argument
    if not isinstance(text, str):
        return
    for found in MISSPELT.findall(text):
        yield f"has {found}: write {{Config:Key}}"
    secrets, properties = action.get("secrets"), described.get("properties") if isinstance(described, dict) else None
    for key in PLACEHOLDER.findall(text):
        if isinstance(secrets, list) and key in secrets:
            variable = re.sub("[^A-Za-z0-9]", "_", key).upper()
            yield f"names {{Config:{key}}}, which is secret: let the command read its environment variable CONFIG_{variable}"
        elif isinstance(properties, list) and key not in [one.get("name") for one in properties if isinstance(one, dict)]:
            yield f"names {{Config:{key}}}: add {key} to the properties of type"
