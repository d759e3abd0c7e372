"""An entry of actions.yaml, after its mistakes were looked for."""

from .cloudformation import NO_VALUE, Function, if_


class Entry:
    def __init__(self, members):
        self.name = members["name"]
        self.condition = members.get("condition")
        self.previous_version = members.get("previousVersion")
        self.has_previous_version = f"{self.name}HasPreviousVersion"
        self.action = members["action"]
        self.type = members.get("type")
        self.variables = members.get("variables", {})

    @property
    def id(self):
        return self.action["actionType"]

    @property
    def owner(self):
        return self.id["owner"]

    @property
    def state_machine(self):
        return self.action["run"].get("stateMachine")

    @property
    def role(self):
        """The condition of the role, if it may be missing, and its ARN."""
        role = self.action.get("role")
        if is_optional(role):
            return role.value[0], role.value[1]
        return (None, role) if role else None

    def sid(self, text):
        """The name of a statement. Those of the template's own state machine keep theirs."""
        return text if self.name == "StateMachineActionType" else text + self.name

    def conditioned(self):
        return {"Condition": self.condition} if self.condition else {}

    def under_condition(self, value):
        return if_(self.condition, value) if self.condition else value


def is_optional(value):
    """Whether a member's value is `!If [CONDITION, VALUE, !Ref AWS::NoValue]`."""
    if not isinstance(value, Function) or value.name != "If":
        return False
    parts = value.value
    return isinstance(parts, list) and len(parts) == 3 and parts[2] == NO_VALUE and isinstance(parts[0], str)
