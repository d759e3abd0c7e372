//! ARNs of roles ("Resource types defined by AWS Identity and Access Management", Service Authorization Reference).

use thiserror::Error;

/// The longest name of a role, and the longest path in front of it with its slashes (API reference, `CreateRole`).
const LONGEST_NAME: usize = 64;
const LONGEST_PATH: usize = 512;

/// The ARN of a role in IAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleArn(String);

/// Why a text is not the ARN of a role. The message does not repeat the text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RoleMistake {
    /// It has another form.
    #[error("must be the ARN of an IAM role: arn:aws:iam::ACCOUNT:role/NAME, perhaps with a path before NAME")]
    Form,
    /// It contains a placeholder such as `{Config:Key}`.
    #[error(
        "must be one fixed ARN, without placeholders: a person who edits a pipeline must not choose the role of its commands"
    )]
    Placeholder,
    /// It names a session of a role.
    #[error("is the ARN of a role's session; give the ARN of its role: arn:aws:iam::ACCOUNT:role/NAME")]
    Session,
    /// It names a user, a group or something else in IAM.
    #[error("is the ARN of something else in IAM; give the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME")]
    NotARole,
}

impl RoleArn {
    /// Parses the text.
    ///
    /// # Errors
    /// Returns an error if it is not the ARN of a role.
    pub fn parse(text: &str) -> Result<Self, RoleMistake> {
        if text.contains('{') {
            return Err(RoleMistake::Placeholder);
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", partition, service, region, account, resource] = parts.as_slice() else {
            return Err(RoleMistake::Form);
        };
        let is_word = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !(is_word(partition) && region.is_empty() && is_account) {
            return Err(RoleMistake::Form);
        }
        match (service, resource.strip_prefix("role")) {
            ("iam", Some(path)) if is_path_and_name(path) => Ok(Self(text.to_owned())),
            ("iam", Some(path)) if path.starts_with('/') => Err(RoleMistake::Form),
            ("iam", _) => Err(RoleMistake::NotARole),
            ("sts", _) if resource.starts_with("assumed-role/") => Err(RoleMistake::Session),
            _ => Err(RoleMistake::Form),
        }
    }

    /// The configured ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether it is `/NAME`, or `/NAME` with a path in front of it.
fn is_path_and_name(text: &str) -> bool {
    let Some((path, name)) = text.rsplit_once('/') else { return false };
    let is_name = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte));
    let is_path = path.is_empty()
        || path.starts_with('/') && path.len() < LONGEST_PATH && path.bytes().all(|byte| byte.is_ascii_graphic());
    is_name && is_path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> RoleMistake {
        RoleArn::parse(text).err().unwrap_or_else(|| panic!("{text} was accepted"))
    }

    #[test]
    fn role_may_have_a_path_and_any_partition() {
        for text in [
            "arn:aws:iam::111122223333:role/deploy",
            "arn:aws:iam::111122223333:role/teams/web/deploy+=,.@_-1",
            "arn:aws-us-gov:iam::111122223333:role/d",
            &format!("arn:aws-cn:iam::111122223333:role/{}", "x".repeat(64)),
        ] {
            assert_eq!(RoleArn::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for text in [
            "",
            "deploy",
            "arn:aws:s3:::bucket",
            "arn:aws:iam:eu-central-1:111122223333:role/deploy",
            "arn:aws:iam::1111:role/deploy",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::111122223333:role/de ploy",
            "arn:aws:iam::111122223333:role/a b/deploy",
            "arn:AWS:iam::111122223333:role/deploy",
            "arn:aws:sts::111122223333:federated-user/deploy",
            &format!("arn:aws:iam::111122223333:role/{}", "x".repeat(65)),
            &format!("arn:aws:iam::111122223333:role/{}/deploy", "x".repeat(512)),
        ] {
            assert_eq!(mistake(text), RoleMistake::Form, "{text}");
        }
        for text in ["user/deploy", "roles/deploy", "instance-profile/deploy", "root"] {
            assert_eq!(mistake(&format!("arn:aws:iam::111122223333:{text}")), RoleMistake::NotARole, "{text}");
        }
        assert_eq!(mistake("arn:aws:iam::111122223333:role/{Config:Role}"), RoleMistake::Placeholder);
        assert_eq!(mistake("arn:aws:sts::111122223333:assumed-role/deploy/session"), RoleMistake::Session);
    }
}
