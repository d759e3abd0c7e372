"""The generated blocks of template.yaml, each as a function from its indentation to its text."""

from . import actions
from .cloudformation import Function, dump, if_, ref, replace_blocks, sub
from .entries import Entry

ACTION_TYPE_ARN = "arn:${AWS::Partition}:codepipeline:${AWS::Region}:${AWS::AccountId}:actiontype"
STATES = ["STARTED", "ABANDONED", "CANCELED"]
# Searches all streams of the log group for the id, over the last 30 days. The console encodes the fragment's own `?`, `=` and `&` once,
# and everything else twice, with `$` in place of `%`.
LOGS_URL = (
    "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#logsV2:log-groups/log-group/${LogGroup}"
    "/log-events$3FfilterPattern$3D$2522{ExternalExecutionId}$2522$26start$3D-2592000000"
)


def without(text):
    """A template with empty blocks."""
    return replace_blocks(text, {name: lambda indent: "" for name in all_of([])})


def all_of(entries):
    entries = [Entry(entry) for entry in entries]
    values = {
        "conditions": conditions(entries),
        "dependencies": dependencies(entries),
        "permissions": permissions(entries),
        "events and action types": resources(entries),
        "action type ids": outputs(entries),
    }
    texts = {name: (lambda value: lambda indent: dump(value, indent) if value else "")(value) for name, value in values.items()}
    return {"ACTIONS": lambda indent: actions.text(entries, indent), **texts}


def conditions(entries):
    made = {}
    for entry in (entry for entry in entries if entry.previous_version):
        has = Function("Not", [Function("Equals", [ref(entry.previous_version), ""])])
        made[entry.has_previous_version] = (
            Function("And", [Function("Condition", entry.condition), has]) if entry.condition else has
        )
    return made


def dependencies(entries):
    types = [entry.name for entry in entries if entry.type and not entry.condition]
    return {"DependsOn": types} if types else {}


def permissions(entries):
    """The statements of the role that the entries need."""
    polled = []
    for entry in (entry for entry in entries if entry.owner == "Custom"):
        polled.append(entry.under_condition(arn_of_type(entry, entry.id["version"])))
        if entry.previous_version:
            polled.append(if_(entry.has_previous_version, arn_of_type(entry, ref(entry.previous_version))))
    statements = [allow("PollForJobs", "codepipeline:PollForJobs", polled)] if polled else []
    for entry in entries:
        if entry.state_machine:
            statements += [entry.under_condition(statement) for statement in executions(entry)]
    for entry in (entry for entry in entries if entry.role):
        # The worker tags the session, and a tagged session needs both.
        condition, role = entry.role
        statement = allow(f"AssumeRoleOf{entry.name}", ["sts:AssumeRole", "sts:TagSession"], role)
        statement = if_(condition, statement) if condition else statement
        statements.append(entry.under_condition(statement))
    return statements


def arn_of_type(entry, version):
    parts = [entry.id["category"], entry.id["provider"], version]
    return sub("/".join([f"{ACTION_TYPE_ARN}:Custom", *(actions.in_sub(part) for part in parts)]))


def executions(entry):
    """Step Functions checks a start by version or alias against the state machine itself (its guide, "Authorization for versions and
    aliases")."""
    yield allow(entry.sid("StartExecutions"), "states:StartExecution", of_machine(entry, "stateMachine:${Name}"))
    actions_ = ["states:DescribeExecution", "states:StopExecution"]
    yield allow(entry.sid("FollowExecutions"), actions_, of_machine(entry, "execution:${Name}:*"))


def of_machine(entry, resource):
    """The colons keep Fn::Select valid if a parameter is empty."""
    name = Function("Select", ["6", Function("Split", [":", sub(actions.in_sub(entry.state_machine) + "::::::")])])
    return sub([f"arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:{resource}", {"Name": name}])


def allow(sid, action, resource):
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def resources(entries):
    made = {}
    for entry in entries:
        if entry.type:
            made[entry.name] = custom_action_type(entry)
        if entry.owner != "AWS":
            made |= rule(entry, f"{entry.name}Events", "Wakes the CodePipeline worker for actions of this type", action_events(entry))
        if entry.state_machine:
            text = "Wakes the CodePipeline worker when an execution of its state machine has ended"
            made |= rule(entry, f"{entry.name}ExecutionEvents", text, execution_events(entry))
    return made


def custom_action_type(entry):
    """The replaced version stays, because pipelines may still name it (docs/deploying.md)."""
    described = entry.type
    url = described.get("executionUrl")
    properties = {
        "Category": entry.id["category"],
        "Provider": entry.id["provider"],
        "Version": entry.id["version"],
        **({"Settings": {"ExecutionUrlTemplate": sub(LOGS_URL if url == "logs" else url)}} if url else {}),
        "ConfigurationProperties": [configuration_property(one) for one in described.get("properties", [])],
        "InputArtifactDetails": artifacts(described["inputArtifacts"]),
        "OutputArtifactDetails": artifacts(described["outputArtifacts"]),
    }
    policies = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}
    return {"Type": "AWS::CodePipeline::CustomActionType", **entry.conditioned(), **policies, "Properties": properties}


def configuration_property(described):
    queryable = described.get("queryable", False)
    return {
        "Name": described["name"],
        **({"Description": described["description"]} if "description" in described else {}),
        "Type": "String",
        "Required": described.get("required", False),
        "Key": described.get("key", queryable),
        "Queryable": queryable,
        "Secret": described.get("secret", False),
    }


def artifacts(counts):
    return {"MinimumCount": counts[0], "MaximumCount": counts[1]}


def action_events(entry):
    # Lambda Invoke actions have no rule: their jobs arrive as events, and these don't name the action execution.
    version = [entry.id["version"]]
    if entry.previous_version:
        version.append(if_(entry.has_previous_version, ref(entry.previous_version)))
    return {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {
            # An execution can outlive its action, for instance because the action timed out.
            "state": [*STATES, "FAILED"] if entry.state_machine else STATES,
            "type": {
                "owner": [entry.owner],
                "category": [entry.id["category"]],
                "provider": [entry.id["provider"]],
                "version": version,
            },
        },
    }


def execution_events(entry):
    """The event never names a version or an alias."""
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [of_machine(entry, "stateMachine:${Name}")],
        },
    }


def rule(entry, name, description, pattern):
    """The permission goes with its rule: an event of SAM could have no condition."""
    target = {"Id": "Worker", "Arn": Function("GetAtt", "Function.Arn"), "RetryPolicy": {"MaximumEventAgeInSeconds": 900}}
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": ref("Function"),
        "Principal": "events.amazonaws.com",
        "SourceArn": Function("GetAtt", f"{name}.Arn"),
    }
    return {
        name: {
            "Type": "AWS::Events::Rule",
            **entry.conditioned(),
            "Properties": {"Description": description, "EventPattern": pattern, "Targets": [target]},
        },
        f"{name}Permission": {"Type": "AWS::Lambda::Permission", **entry.conditioned(), "Properties": permission},
    }


def outputs(entries):
    return {
        f"{entry.name}Id": {
            **entry.conditioned(),
            "Description": "The actionTypeId for pipelines",
            "Value": sub(actions.json_text(entry.id)),
        }
        for entry in entries
        if entry.type
    }
