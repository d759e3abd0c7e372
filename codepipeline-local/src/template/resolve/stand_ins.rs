//! Values that nothing on this machine reads. If one can't be resolved or is empty, another stands in for it.

use serde_json::Value;

use super::{Absent, Resolved, Resolver};
use crate::template::place::Place;
use crate::template::problem::Problem;
use crate::yaml::Node;

/// A role, wherever it appears.
const ANYWHERE: [(&str, &str); 1] = [("RoleArn", "arn:aws:iam::123456789012:role/stand-in")];

/// Members of a store. A bucket of any name is made here.
const OF_STORE: [(&str, &str); 1] = [("Location", "stand-in-artifacts")];

/// Keys of an action's configuration. A source action gets its files from a folder of this machine.
const OF_CONFIGURATION: [(&str, &str); 10] = [
    ("Branch", "main"),
    ("BranchName", "main"),
    ("ConnectionArn", "arn:aws:codeconnections:us-east-1:123456789012:connection/stand-in"),
    ("FullRepositoryId", "stand-in/stand-in"),
    ("KMSEncryptionKeyARN", "arn:aws:kms:us-east-1:123456789012:key/stand-in"),
    ("NotificationArn", "arn:aws:sns:us-east-1:123456789012:stand-in"),
    ("OAuthToken", "stand-in"),
    ("Owner", "stand-in"),
    ("Repo", "stand-in"),
    ("RepositoryName", "stand-in"),
];

/// Problems with this text are about values that the user may give. Others are mistakes in the template.
const MAY_BE_GIVEN: &str = "; type --parameter ";

impl<'a> Resolver<'a> {
    /// Evaluates the member of a map.
    pub(super) fn member(&mut self, key: &str, node: &'a Node, map: &Place<'_>) -> Resolved {
        let place = map.member(key);
        let known = match () {
            () if map.is_member("Configuration") => &OF_CONFIGURATION[..],
            () if map.is_member("ArtifactStore") => &OF_STORE[..],
            () => &[],
        };
        let stand_in = ANYWHERE.iter().chain(known).find(|(known, _)| *known == key);
        let Some((_, stand_in)) = stand_in else { return self.evaluate(node, &place) };
        let before = self.problems.len();
        // Replaces dynamic references now. Their problems would come too late after the whole map.
        let value = self.value(node, &place);
        if value.as_ref().is_ok_and(|value| value == "") {
            let message = format!("is empty, so {stand_in} stands in for it");
            self.notes.push(Problem::at(&place, self.template.root, message));
            return Ok(Value::String((*stand_in).to_owned()));
        }
        let new = &self.problems[before..];
        if value != Err(Absent::Unresolved)
            || new.is_empty()
            || !new.iter().all(|problem| problem.message.contains(MAY_BE_GIVEN))
        {
            return value;
        }
        for mut problem in self.problems.split_off(before) {
            problem.message.push_str(&format!(", or leave the made-up value {stand_in}"));
            self.notes.push(problem);
        }
        Ok(Value::String((*stand_in).to_owned()))
    }
}
