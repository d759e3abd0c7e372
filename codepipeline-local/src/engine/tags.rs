//! Tags of pipelines and of custom action types (User Guide, "tag-resources").

use std::collections::BTreeSet;

use super::{
    Engine,
    error::ApiError,
    state::{ActionTypeId, Tag},
};

/// Tags per resource (User Guide, "limits").
const MOST: usize = 50;

/// Characters that keys and values may have in addition to letters, numbers and spaces (User Guide, "limits").
const SIGNS: &str = "+-=._:/@";

/// The longest pipeline name in the API model.
const LONGEST_NAME: usize = 100;

/// A resource that can have tags (Service Authorization Reference, "Resource types defined by AWS CodePipeline").
enum Resource {
    Pipeline(String),
    ActionType(ActionTypeId),
    /// A webhook. The emulator knows no webhooks.
    Webhook(String),
}

impl Engine {
    /// The resource's tags, oldest first.
    pub(crate) fn tags(&self, arn: &str) -> Result<&[Tag], ApiError> {
        let resource = self.resource(arn)?;
        let tags = match &resource {
            Resource::Pipeline(name) => self.pipelines.get(name).map(|pipeline| &pipeline.tags),
            Resource::ActionType(id) => {
                self.action_types.get(id).filter(|known| !known.deleted).map(|known| &known.tags)
            }
            Resource::Webhook(_) => None,
        };
        tags.map(Vec::as_slice).ok_or_else(|| self.not_found(&resource))
    }

    /// Adds tags to the resource. An existing key gets the new value.
    pub(crate) fn tag(&mut self, arn: &str, tags: &[Tag]) -> Result<(), ApiError> {
        let tags = merged(arn, self.tags(arn)?, tags)?;
        *self.tags_mut(arn)? = tags;
        Ok(())
    }

    /// Removes tags from the resource. Unknown keys are ignored.
    pub(crate) fn untag(&mut self, arn: &str, keys: &[String]) -> Result<(), ApiError> {
        let tags = self.tags_mut(arn)?;
        if keys.iter().any(|key| is_system_tag(key)) {
            return Err(system_tag());
        }
        tags.retain(|tag| !keys.contains(&tag.key));
        Ok(())
    }

    fn tags_mut(&mut self, arn: &str) -> Result<&mut Vec<Tag>, ApiError> {
        let resource = self.resource(arn)?;
        let missing = self.not_found(&resource);
        let tags = match &resource {
            Resource::Pipeline(name) => self.pipelines.get_mut(name).map(|pipeline| &mut pipeline.tags),
            Resource::ActionType(id) => {
                self.action_types.get_mut(id).filter(|known| !known.deleted).map(|known| &mut known.tags)
            }
            Resource::Webhook(_) => None,
        };
        tags.ok_or(missing)
    }

    pub(crate) fn action_type_arn(&self, id: &ActionTypeId) -> String {
        let Self { settings, .. } = self;
        format!("arn:aws:codepipeline:{}:{}:actiontype:{}", settings.region, settings.account_id, id.path())
    }

    fn resource(&self, arn: &str) -> Result<Resource, ApiError> {
        let (region, account) = (&self.settings.region, &self.settings.account_id);
        let invalid = |why: &str| ApiError::new("InvalidArnException", format!("The ARN '{arn}' {why}"));
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, "codepipeline", arn_region, arn_account, resource] = parts[..] else {
            return Err(invalid("does not belong to CodePipeline"));
        };
        if arn_region != region || arn_account != account {
            return Err(invalid(&format!("does not belong to the account '{account}' in the region '{region}'")));
        }
        parse_resource(resource)
            .ok_or_else(|| invalid("ends in neither a pipeline's name nor actiontype:Owner/Category/Provider/Version"))
    }

    fn not_found(&self, resource: &Resource) -> ApiError {
        let what = match resource {
            Resource::Pipeline(name) => format!("a pipeline with the name '{name}'"),
            Resource::ActionType(id) => format!("a custom action type {}", id.path()),
            Resource::Webhook(name) => format!("a webhook with the name '{name}'"),
        };
        let account = &self.settings.account_id;
        ApiError::new("ResourceNotFoundException", format!("The account with id '{account}' does not include {what}"))
    }
}

/// Reads an ARN's last part.
fn parse_resource(resource: &str) -> Option<Resource> {
    if let Some(name) = resource.strip_prefix("webhook:") {
        return Some(Resource::Webhook(name.to_owned()));
    }
    if let Some(path) = resource.strip_prefix("actiontype:") {
        let parts: Vec<&str> = path.split('/').collect();
        let [owner, category, provider, version] = parts[..] else { return None };
        let [category, owner, provider, version] = [category, owner, provider, version].map(str::to_owned);
        return Some(Resource::ActionType(ActionTypeId { category, owner, provider, version }));
    }
    let known = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    let is_name = (1..=LONGEST_NAME).contains(&resource.len()) && resource.chars().all(known);
    is_name.then(|| Resource::Pipeline(resource.to_owned()))
}

/// The tags of the resource with this ARN after it gets the `new` ones.
pub(super) fn merged(arn: &str, kept: &[Tag], new: &[Tag]) -> Result<Vec<Tag>, ApiError> {
    check(new)?;
    let mut all = kept.to_vec();
    for tag in new {
        match all.iter_mut().find(|known| known.key == tag.key) {
            Some(known) => known.value.clone_from(&tag.value),
            None => all.push(tag.clone()),
        }
    }
    if all.len() > MOST {
        return Err(ApiError::new("TooManyTagsException", format!("Tag limit exceeded for resource [{arn}].")));
    }
    Ok(all)
}

fn check(tags: &[Tag]) -> Result<(), ApiError> {
    let mut keys = BTreeSet::new();
    for Tag { key, value } in tags {
        if is_system_tag(key) {
            return Err(system_tag());
        }
        if !keys.insert(key) {
            return Err(invalid(format!("The tag key '{key}' is given more than once")));
        }
        for (what, text) in [("tag key", key), ("value of the tag key", value)] {
            if !text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || SIGNS.contains(c)) {
                return Err(invalid(format!(
                    "The {what} '{key}' has a character other than letters, numbers, spaces and {SIGNS}"
                )));
            }
        }
    }
    Ok(())
}

/// AWS reserves this prefix in any case (Tagging AWS Resources User Guide, "Tag naming limits and requirements").
fn is_system_tag(key: &str) -> bool {
    key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

fn system_tag() -> ApiError {
    invalid(
        "Not allowed to modify system tags. System tags start with 'aws:'. msg=[Caller is an end user and not allowed to mutate \
         system tags]"
            .to_owned(),
    )
}

fn invalid(message: String) -> ApiError {
    ApiError::new("InvalidTagsException", message)
}
