"""Tests of deploy/generate: `python3 -m unittest discover -s deploy -p '*_test.py'`."""

import copy
import datetime
import json
import math
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from generator import blocks, cloudformation, mistakes
from generator.cloudformation import Function, ref, sub
from generator.evaluate import evaluated

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "template.yaml").read_text("utf-8")
TEMPLATE = cloudformation.load(TEXT)
HAND_WRITTEN = cloudformation.load(blocks.without(TEXT))
ENTRIES = cloudformation.load((ROOT / "actions.yaml").read_text("utf-8"))


def own_entry(**changes):
    """An operator's type that names nothing of the template."""
    entry = {
        "name": "LinkCheck",
        "action": {
            "actionType": {"category": "Test", "owner": "Custom", "provider": "LinkCheck", "version": "1"},
            "secrets": ["Token"],
            "role": "arn:aws:iam::111122223333:role/links",
            "run": {"command": ["check", "{Config:Url}", "${HOME}"]},
        },
        "type": {
            "executionUrl": "logs",
            "properties": [{"name": "Url", "required": True}, {"name": "Token", "secret": True}],
            "inputArtifacts": [0, 1],
            "outputArtifacts": [0, 0],
        },
    }
    return {**copy.deepcopy(entry), **changes}


def generated(entries):
    """The template with the blocks of these entries."""
    return cloudformation.load(cloudformation.replace_blocks(TEXT, blocks.all_of(entries)))


PARAMETERS = {name: parameter.get("Default", "") for name, parameter in TEMPLATE["Parameters"].items()}


def actions(template, conditions=(), **parameters):
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    return json.loads(evaluated(variables["ACTIONS"], conditions, {**PARAMETERS, **parameters}))


class Actions(unittest.TestCase):
    def test_defaults_give_the_shell_alone(self):
        [shell] = actions(TEMPLATE)
        self.assertEqual(shell["actionType"], {"category": "Test", "owner": "Custom", "provider": "Shell", "version": "2"})
        self.assertEqual(shell["queryParam"], {"Project": "web"})
        self.assertEqual(shell["run"], {"command": ["bash", "-euo", "pipefail", "-c", "{Config:Command}"]})
        self.assertFalse({"timeoutSeconds", "role"} & set(shell))

    def test_each_condition_adds_its_entry(self):
        conditions = ["HasStateMachine", "HasWebhook", "HasInvokeJobs", "HasThirdParty", "HasCommandTimeout", "HasCommandRole"]
        found = actions(TEMPLATE, conditions, CommandTimeout="60", CommandRole="arn:aws:iam::111122223333:role/r")
        providers = [entry["actionType"]["provider"] for entry in found]
        self.assertEqual(providers, ["Shell", "StateMachine", "Webhook", "Lambda", ""])
        self.assertEqual([entry.get("timeoutSeconds") for entry in found], ["60", None, None, "60", "60"])
        self.assertEqual(found[0]["role"], "arn:aws:iam::111122223333:role/r")

    def test_previous_version_is_served_too(self):
        found = actions(TEMPLATE, ["ActionTypeHasPreviousVersion"], PreviousActionVersion="1")
        self.assertEqual([entry["actionType"]["version"] for entry in found], ["2", "1"])

    def test_own_entry_keeps_its_text(self):
        [_, own] = actions(generated([ENTRIES[0], own_entry()]))
        self.assertEqual(own, own_entry()["action"])

    def test_text_around_a_name_is_escaped(self):
        for text, expected in [('echo "${AWS::Region}"', 'echo "r"'), ("a\\b\n${AWS::Region}", "a\\b\nr"), ("${!HOME}", "${HOME}")]:
            entry = own_entry()
            entry["action"]["run"]["command"] = ["bash", "-c", sub(text)]
            [own] = actions(generated([entry]), **{"AWS::Region": "r"})
            self.assertEqual(own["run"]["command"][2], expected)

    def test_key_with_the_beginning_of_a_name_stays(self):
        entry = own_entry()
        entry["action"]["queryParam"] = {"${Url}": "x"}
        [own] = actions(generated([entry]))
        self.assertEqual(own["queryParam"], {"${Url}": "x"})


class Blocks(unittest.TestCase):
    def test_own_entry_gets_type_rule_permission_and_output(self):
        template = generated([ENTRIES[0], own_entry()])
        resources = template["Resources"]
        self.assertEqual(resources["Function"]["DependsOn"], ["ActionType", "LinkCheck"])
        properties = resources["LinkCheck"]["Properties"]
        self.assertIn("{ExternalExecutionId}", properties["Settings"]["ExecutionUrlTemplate"].value)
        self.assertEqual([one["Secret"] for one in properties["ConfigurationProperties"]], [False, True])
        self.assertEqual(resources["LinkCheckEvents"]["Properties"]["EventPattern"]["detail"]["type"]["provider"], ["LinkCheck"])
        self.assertIn("LinkCheckEventsPermission", resources)
        self.assertIn("LinkCheckId", template["Outputs"])
        statements = {one["Sid"]: one for one in statements_of(template) if isinstance(one, dict)}
        self.assertTrue(statements["PollForJobs"]["Resource"][-1].value.endswith("actiontype:Custom/Test/LinkCheck/1"))

    def test_role_is_the_only_one_that_may_be_assumed(self):
        template = generated([own_entry()])
        assuming = [one for one in statements_of(template) if isinstance(one, dict) and "sts:AssumeRole" in one["Action"]]
        [statement] = assuming
        self.assertEqual(statement["Action"], ["sts:AssumeRole", "sts:TagSession"])
        self.assertEqual(statement["Resource"], "arn:aws:iam::111122223333:role/links")

    def test_template_is_what_actions_yaml_says(self):
        self.assertEqual(generated(ENTRIES), TEMPLATE)

    def test_urls_keep_to_the_limit_of_the_api(self):
        for name, resource in TEMPLATE["Resources"].items():
            if resource["Type"] == "AWS::CodePipeline::CustomActionType":
                template = resource["Properties"]["Settings"]["ExecutionUrlTemplate"].value
                # The longest region and log group's name.
                url = template.replace("${AWS::Region}", "r" * 20).replace("${LogGroup}", "g" * 512)
                self.assertTrue(url.startswith("https://") and len(url) <= 2048, name)


def statements_of(template):
    policies = template["Resources"]["Role"]["Properties"]["Policies"]
    [jobs] = [one for one in policies if isinstance(one, dict) and one["PolicyName"] == "CodePipelineJobs"]
    return jobs["PolicyDocument"]["Statement"]


class Mistakes(unittest.TestCase):
    def found(self, *entries):
        return mistakes.find(list(entries), HAND_WRITTEN)

    def test_own_entry_has_none(self):
        self.assertEqual(self.found(ENTRIES[0], own_entry()), [])
        self.assertEqual(mistakes.find(ENTRIES, HAND_WRITTEN), [])

    def test_each_names_its_path_and_what_to_change(self):
        def with_(path, value):
            entry = own_entry()
            *folders, last = path.split(".")
            inner = entry
            for folder in folders:
                inner = inner[folder]
            inner[last] = value
            return entry

        for entry, words in [
            (with_("name", "Link-Check"), "[0].name: must have 1 to 60 letters and digits"),
            (with_("condition", "HasLinks"), "[0].condition: names no condition of template.yaml: add HasLinks"),
            (with_("previousVersion", "Old"), "[0].previousVersion: names no parameter of template.yaml: add Old"),
            (with_("colour", "red"), "[0].colour: is not a member; use name,"),
            (with_("action.colour", "red"), "[0].action.colour: is not a member; use actionType,"),
            (with_("action.actionType.owner", "Me"), "[0].action.actionType.owner: must be one of Custom"),
            (with_("action.actionType.version", 1), "[0].action.actionType.version: must be a text"),
            (with_("action.run", {}), "[0].action.run: must have exactly one member"),
            (with_("action.run.command", "bash -c ls"), "[0].action.run.command: must be a list of texts"),
            (with_("action.run.command", ["sh", 5]), "[0].action.run.command: must be a list of texts"),
            (with_("action.run.command", ["sh", "{config:Url}"]), "[0].action.run.command[1]: has {config:Url}"),
            (with_("action.run.command", ["sh", "${Config:Url}"]), "[0].action.run.command[1]: has ${Config:Url}"),
            (with_("action.run.command", ["{Config:Token}"]), "[0].action.run.command[0]: names {Config:Token}, which is secret"),
            (with_("action.run.command", ["{Config:Page}"]), "[0].action.run.command[0]: names {Config:Page}: add Page"),
            (with_("action.timeoutSeconds", "ten"), "[0].action.timeoutSeconds: must be a whole number of seconds"),
            (with_("action.timeoutSeconds", 0), "[0].action.timeoutSeconds: must be a whole number of seconds"),
            (with_("action.role", "arn:aws:iam::111122223333:role/*"), "[0].action.role: must be the ARN of one role"),
            (with_("action.queryParam", ref("Nothing")), "[0].action.queryParam: names no parameter or resource"),
            (with_("action.secrets", []), "[0].action.secrets: must name Token"),
            (with_("action.onCrash", ref("AlarmTopicArn")), "names the parameter AlarmTopicArn, which may hold quotes"),
            (with_("action.onCrash", Function("Join", ["", []])), "[0].action.onCrash: can't have !Join here"),
            (with_("action.queryParam", {"Url": "x"}), "names Url, so this property of type must be queryable"),
            (with_("type.inputArtifacts", [3, 2]), "[0].type.inputArtifacts: must be [LEAST, MOST]"),
            (with_("type.executionUrl", "https://ci/{Config:Token}"), "[0].type.executionUrl: names {Config:Token}"),
            (with_("variables", {"key": "value"}), "[0].variables: must be a mapping from names in upper case"),
            (with_("variables", {"ACTIONS": "[]"}), "[0].variables.ACTIONS: is a variable that template.yaml sets"),
            (with_("variables", {"LEDGER_BUCKET": "mine"}), "[0].variables.LEDGER_BUCKET: is a variable that template.yaml"),
            (with_("variables", {"KEY": ["a"]}), "[0].variables.KEY: must be one text"),
            (with_("condition", ["a"]), "[0].condition: must be the name of one condition"),
            (with_("previousVersion", {"a": "b"}), "[0].previousVersion: must be the name of one parameter"),
            (with_("action.secrets", 5), "[0].action.secrets: must be a list of the names"),
            (with_("action.secrets", ref("ProjectName")), "[0].action.secrets: must be a list of the names"),
            (with_("action.timeoutSeconds", datetime.date(2026, 1, 1)), "[0].action.timeoutSeconds: can't be a date"),
            (with_("action.timeoutSeconds", math.nan), "[0].action.timeoutSeconds: must be a finite number"),
            (with_("action.queryParam", {5: "x"}), "[0].action.queryParam.5: must have a text as its name"),
            (with_("action.actionType", {5: "x", "owner": "Custom"}), "[0].action.actionType: must have the members"),
        ]:
            found = self.found(entry)
            self.assertTrue(any(words in mistake for mistake in found), f"{words}: {found}")

    def test_third_party_entry_has_no_role_and_its_condition(self):
        entry = own_entry(type=None)
        del entry["type"]
        entry["action"]["actionType"]["owner"] = "ThirdParty"
        found = self.found(ENTRIES[0], entry)
        self.assertTrue(any(".action.role: is not for the owner ThirdParty" in one for one in found), found)
        self.assertTrue(any(".condition: must be HasThirdParty" in one for one in found), found)

    def test_mistakes_of_the_list_are_found(self):
        self.assertIn("must be a list", self.found()[0])
        self.assertIn("name LinkCheck stands 2 times", self.found(own_entry(), own_entry())[0])
        self.assertIn("the first entry can't have one", self.found(own_entry(condition="HasWebhook"))[0])
        entry = own_entry()
        entry["action"]["run"]["command"].append("x" * 3000)
        self.assertIn("Lambda allows 4 KB", self.found(entry)[0])

    def test_name_of_another_resource_is_refused(self):
        self.assertIn("[0].name: is the name of a resource", self.found(own_entry(name="Ledger"))[0])
        self.assertIn("[0].name: is the name of a parameter", self.found(own_entry(name="ProjectName"))[0])

    def test_second_entry_for_the_same_jobs_is_refused(self):
        found = self.found(own_entry(), own_entry(name="Other"))
        self.assertEqual(found, ["[1].action: is for the same jobs as [0]: change actionType or queryParam"])
        self.assertEqual(self.found(ENTRIES[0], own_entry(condition="HasAlarm"), own_entry(name="Other", condition="HasKmsKey")), [])

    def test_variable_of_two_entries_is_refused(self):
        other = own_entry(name="Other", variables={"KEY": "b"})
        other["action"]["actionType"]["provider"] = "Other"
        found = self.found(own_entry(variables={"KEY": "a"}), other)
        self.assertEqual(found, ["variable KEY stands 2 times: give each entry its own"])


class Templates(unittest.TestCase):
    def test_missing_marker_is_named(self):
        with self.assertRaisesRegex(cloudformation.WrongMarkers, "# Generated from actions.yaml: ACTIONS"):
            cloudformation.replace_blocks("Resources:\n", {"ACTIONS": lambda indent: ""})

    def test_member_that_stands_twice_is_refused(self):
        with self.assertRaisesRegex(Exception, "the member name stands twice"):
            cloudformation.load("name: a\nname: b\n")

    def test_rules_use_only_what_they_allow(self):
        def functions(value):
            if isinstance(value, Function):
                yield value.name
                yield from functions(value.value)
            elif isinstance(value, dict):
                yield from (key.removeprefix("Fn::") for key in value if key.startswith("Fn::"))
                yield from functions(list(value.values()))
            elif isinstance(value, list):
                for member in value:
                    yield from functions(member)

        allowed = {"Ref", "And", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "Not", "Or", "RefAll", "ValueOf", "ValueOfAll"}
        self.assertEqual(set(functions(TEMPLATE["Rules"])) - allowed, set())


class Program(unittest.TestCase):
    def test_unreadable_file_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "deploy", Path(folder, "deploy"))
            shutil.copy(ROOT / "template.yaml", folder)

            def complaint():
                program = [sys.executable, Path(folder, "deploy", "generate"), "--check"]
                run = subprocess.run(program, capture_output=True, text=True, check=False)
                self.assertEqual(run.returncode, 1)
                return run.stderr.strip()

            self.assertIn("could not read actions.yaml: No such file", complaint())
            Path(folder, "actions.yaml").write_bytes(b"- name: \xff\n")
            self.assertEqual(complaint(), "actions.yaml is not UTF-8 from byte 8 on: save it as UTF-8")
            Path(folder, "actions.yaml").write_text("- [a]: b\n", "utf-8")
            self.assertIn("the name of a member must be a text", complaint())


if __name__ == "__main__":
    unittest.main()
