//! The output variables of sources.

use std::collections::BTreeMap;

use crate::dates::iso_seconds;
use crate::types::Timestamp;

/// A provider of sources that a folder stands in for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Provider {
    Connection,
    CodeCommit,
    GitHub,
}

impl Provider {
    /// The provider of an action type.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "CodeStarSourceConnection" => Some(Self::Connection),
            "CodeCommit" => Some(Self::CodeCommit),
            "GitHub" => Some(Self::GitHub),
            _ => None,
        }
    }

    /// The key of the configuration that names the branch.
    pub(super) fn branch_key(self) -> &'static str {
        match self {
            Self::Connection | Self::CodeCommit => "BranchName",
            Self::GitHub => "Branch",
        }
    }
}

/// The revision of a source.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) message: String,
    pub(super) authored: Timestamp,
    pub(super) committed: Timestamp,
    pub(super) branch: String,
}

/// The variables that AWS documents for each provider (User Guide, "action-reference-CodestarConnectionSource",
/// "action-reference-CodeCommit" and "action-reference-GitHub"). The dates are in UTC. `CommitUrl` is the commit's URL in GitHub's API, as
/// the CDK's reference says of `GitHubSourceVariables`.
pub(super) fn variables(
    provider: Provider,
    configuration: &BTreeMap<String, String>,
    found: &Found,
) -> BTreeMap<String, String> {
    let configured = |key: &str| configuration.get(key).cloned().unwrap_or_default();
    let mut variables = vec![
        ("CommitId", found.id.clone()),
        ("CommitMessage", found.message.clone()),
        ("BranchName", found.branch.clone()),
        ("AuthorDate", iso_seconds(found.authored)),
    ];
    if provider != Provider::Connection {
        variables.push(("CommitterDate", iso_seconds(found.committed)));
    }
    match provider {
        Provider::Connection => {
            variables.push(("ConnectionArn", configured("ConnectionArn")));
            variables.push(("FullRepositoryName", configured("FullRepositoryId")));
        }
        Provider::CodeCommit => variables.push(("RepositoryName", configured("RepositoryName"))),
        Provider::GitHub => {
            let (owner, repository) = (configured("Owner"), configured("Repo"));
            let url = format!("https://api.github.com/repos/{owner}/{repository}/git/commits/{}", found.id);
            variables.push(("CommitUrl", url));
            variables.push(("RepositoryName", repository));
        }
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The names of the variables of this provider, in their order. `None` if it is not a provider of git repositories.
pub(crate) fn variable_names(provider: &str) -> Option<Vec<String>> {
    let (id, message, branch) = Default::default();
    let found = Found { id, message, authored: Timestamp(0), committed: Timestamp(0), branch };
    Some(variables(Provider::of(provider)?, &BTreeMap::new(), &found).into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(provider: Provider, configuration: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = configuration.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let found = Found {
            id: "abc".to_owned(),
            message: "first".to_owned(),
            authored: Timestamp(1_800_000_000_000),
            committed: Timestamp(1_800_000_001_000),
            branch: "main".to_owned(),
        };
        variables(provider, &pairs.collect(), &found).into_iter().collect()
    }

    fn common(others: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut all = vec![
            ("AuthorDate", "2027-01-15T08:00:00Z"),
            ("BranchName", "main"),
            ("CommitId", "abc"),
            ("CommitMessage", "first"),
        ];
        all.extend(others);
        all.sort();
        all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn each_provider_has_its_documented_variables() {
        let arn = "arn:aws:codestar-connections:us-east-1:123456789012:connection/1";
        let configuration = [("ConnectionArn", arn), ("FullRepositoryId", "me/web"), ("BranchName", "main")];
        let connection = of(Provider::Connection, &configuration);
        assert_eq!(connection, common(&[("ConnectionArn", arn), ("FullRepositoryName", "me/web")]));

        let committed = ("CommitterDate", "2027-01-15T08:00:01Z");
        let code_commit = of(Provider::CodeCommit, &[("RepositoryName", "web")]);
        assert_eq!(code_commit, common(&[committed, ("RepositoryName", "web")]));

        let github = of(Provider::GitHub, &[("Owner", "me"), ("Repo", "web"), ("OAuthToken", "MARKER")]);
        let url = "https://api.github.com/repos/me/web/git/commits/abc";
        assert_eq!(github, common(&[committed, ("CommitUrl", url), ("RepositoryName", "web")]));
    }
}
