use super::*;
use crate::engine::Leniency;

const WEB: &str = "arn:aws:codepipeline:us-east-1:123456789012:web";
const TYPE: &str = "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Test/Check/1";

/// An emulator with the action type and the pipeline `web`, both without tags.
fn local() -> Local {
    let mut local = Local::new();
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    local
}

fn tag(key: &str, value: &str) -> Value {
    json!({"key": key, "value": value})
}

fn numbered(range: std::ops::Range<u32>) -> Value {
    range.map(|number| tag(&format!("key-{number}"), "value")).collect()
}

fn tags(local: &mut Local, arn: &str) -> Value {
    let reply = local.call("ListTagsForResource", &json!({"resourceArn": arn}));
    assert_eq!(reply.get("nextToken"), None, "one response has all tags");
    reply["tags"].clone()
}

#[test]
fn tags_are_added_changed_and_removed() {
    for arn in [WEB, TYPE] {
        let mut local = local();
        assert_eq!(tags(&mut local, arn), json!([]));
        let added =
            json!({"resourceArn": arn, "tags": [tag("team", "a"), tag("Team", ""), tag("cost/center", "7 + 8")]});
        assert_eq!(local.call("TagResource", &added), json!({}));
        local.call("TagResource", &json!({"resourceArn": arn, "tags": [tag("team", "b"), tag("last", "ü")]}));
        let kept = json!([tag("team", "b"), tag("Team", ""), tag("cost/center", "7 + 8"), tag("last", "ü")]);
        assert_eq!(tags(&mut local, arn), kept);
        let removed = json!({"resourceArn": arn, "tagKeys": ["Team", "last", "never-there"]});
        assert_eq!(local.call("UntagResource", &removed), json!({}));
        assert_eq!(tags(&mut local, arn), json!([tag("team", "b"), tag("cost/center", "7 + 8")]));
    }
}

#[test]
fn tags_of_a_creation_are_kept() {
    let mut local = Local::new();
    let given = json!([tag("team", "a"), tag("stage", "test")]);
    let mut action_type = action_type();
    action_type["tags"] = given.clone();
    assert_eq!(local.call("CreateCustomActionType", &action_type)["tags"], given);
    assert_eq!(tags(&mut local, TYPE), given);
    let mut web = pipeline("web", &json!([check("Unit", 1)]));
    web["tags"] = given.clone();
    assert_eq!(local.call("CreatePipeline", &web)["tags"], given);
    assert_eq!(tags(&mut local, WEB), given);
}

#[test]
fn updated_pipeline_keeps_its_tags() {
    let mut local = local();
    local.call("TagResource", &json!({"resourceArn": WEB, "tags": [tag("team", "a")]}));
    local.call("UpdatePipeline", &pipeline("web", &json!([check("Other", 1)])));
    assert_eq!(tags(&mut local, WEB), json!([tag("team", "a")]));
}

#[test]
fn tags_go_with_their_resource() {
    let mut local = local();
    for arn in [WEB, TYPE] {
        local.call("TagResource", &json!({"resourceArn": arn, "tags": [tag("team", "a")]}));
    }
    local.call("DeletePipeline", &json!({"name": "web"}));
    local.call("DeleteCustomActionType", &json!({"category": "Test", "provider": "Check", "version": "1"}));
    for arn in [WEB, TYPE] {
        let gone = local.refused("ListTagsForResource", &json!({"resourceArn": arn}));
        assert_eq!(gone.0, "ResourceNotFoundException", "{}", gone.1);
    }
    local.call("CreateCustomActionType", &action_type());
    local.call("CreatePipeline", &pipeline("web", &json!([check("Unit", 1)])));
    for arn in [WEB, TYPE] {
        assert_eq!(tags(&mut local, arn), json!([]));
    }
}

#[test]
fn recreated_type_gets_the_new_tags() {
    let mut local = local();
    local.call("TagResource", &json!({"resourceArn": TYPE, "tags": [tag("team", "a")]}));
    let mut again = action_type();
    again["tags"] = json!([tag("stage", "test")]);
    let both = json!([tag("team", "a"), tag("stage", "test")]);
    assert_eq!(local.call("CreateCustomActionType", &again)["tags"], both);
    assert_eq!(tags(&mut local, TYPE), both);
}

#[test]
fn resource_has_at_most_fifty_tags() {
    let mut local = local();
    for arn in [WEB, TYPE] {
        local.call("TagResource", &json!({"resourceArn": arn, "tags": numbered(0..49)}));
        let over = json!({"resourceArn": arn, "tags": numbered(48..51)});
        let (name, message) = local.refused("TagResource", &over);
        assert_eq!(name, "TooManyTagsException");
        assert_eq!(message, format!("Tag limit exceeded for resource [{arn}]."));
        assert_eq!(tags(&mut local, arn), numbered(0..49), "a refused request changes nothing");
        local.call("TagResource", &json!({"resourceArn": arn, "tags": numbered(48..50)}));
        assert_eq!(tags(&mut local, arn), numbered(0..50));
    }
    let mut second = pipeline("second", &json!([check("Unit", 1)]));
    second["tags"] = numbered(0..51);
    assert_eq!(local.refused("CreatePipeline", &second).0, "TooManyTagsException");
    assert_eq!(local.refused("GetPipeline", &json!({"name": "second"})).0, "PipelineNotFoundException");
}

#[test]
fn system_and_malformed_tags_are_refused() {
    let mut local = local();
    let tagging = |tags: Value| json!({"resourceArn": WEB, "tags": tags});
    for key in ["aws:created", "AWS:created"] {
        let (name, message) = local.refused("TagResource", &tagging(json!([tag(key, "")])));
        assert_eq!((name.as_str(), message.contains("system tags")), ("InvalidTagsException", true), "{message}");
        let untag = json!({"resourceArn": WEB, "tagKeys": [key]});
        assert_eq!(local.refused("UntagResource", &untag).0, "InvalidTagsException");
    }
    for tags in [json!([tag("a", "1"), tag("a", "2")]), json!([tag("a#", "")]), json!([tag("a", "{}")])] {
        let (name, message) = local.refused("TagResource", &tagging(tags));
        assert_eq!((name.as_str(), message.contains("'a")), ("InvalidTagsException", true), "{message}");
    }
    local.call("TagResource", &tagging(json!([tag("aws", ""), tag("x-aws:y", "")])));
}

#[test]
fn arns_of_resources_differ() {
    let mut local = local();
    let mut error = |arn: &str| {
        let mut names = [
            ("ListTagsForResource", json!({"resourceArn": arn})),
            ("TagResource", json!({"resourceArn": arn, "tags": [tag("a", "")]})),
            ("UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]})),
        ]
        .map(|(operation, input)| local.refused(operation, &input).0);
        names.sort();
        assert_eq!(names[0], names[2], "the three operations agree");
        names[0].clone()
    };
    for arn in [
        "arn:aws:codepipeline:us-east-1:123456789012:other",
        "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Test/Check/2",
        "arn:aws:codepipeline:us-east-1:123456789012:actiontype:AWS/Source/S3/1",
        "arn:aws:codepipeline:us-east-1:123456789012:webhook:hook",
    ] {
        assert_eq!(error(arn), "ResourceNotFoundException", "{arn}");
    }
    for arn in [
        "arn:aws:codepipeline:eu-west-1:123456789012:web",
        "arn:aws:codepipeline:us-east-1:210987654321:web",
        "arn:aws:codepipeline:us-east-1:123456789012:web/Test/Unit",
        "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Test/Check",
        "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Test/Check/1/",
        "arn:aws:codepipeline:us-east-1:123456789012:no name",
    ] {
        assert_eq!(error(arn), "InvalidArnException", "{arn}");
    }
    for arn in ["", "web", "arn:aws:s3:::bucket", "arn:aws:codepipeline:us-east-1::web"] {
        assert_eq!(error(arn), "ValidationException", "{arn}");
    }
}

#[test]
fn arn_without_account_is_accepted_if_set() {
    let mut local = Local::with(|settings| settings.arn_without_account = Leniency::Accept);
    local.call("CreateCustomActionType", &action_type());
    let arn = "arn:aws:codepipeline:us-east-1::actiontype:Custom/Test/Check/1";
    local.call("TagResource", &json!({"resourceArn": arn, "tags": [tag("team", "a"), tag("old", "")]}));
    local.call("UntagResource", &json!({"resourceArn": arn, "tagKeys": ["old"]}));
    for arn in [arn, TYPE] {
        assert_eq!(tags(&mut local, arn), json!([tag("team", "a")]));
    }
    for wrong in
        ["arn:aws:s3:us-east-1::web", "arn:aws:codepipeline:us-east-1:1:web", "arn:aws:codepipeline:us-east-1:"]
    {
        let refused = local.refused("ListTagsForResource", &json!({"resourceArn": wrong}));
        assert_eq!(refused.0, "ValidationException", "{wrong}");
    }
}

#[test]
fn tag_operations_name_an_unknown_pipeline() {
    let arn = "arn:aws:codepipeline:us-east-1:123456789012:not-existing";
    let (_, message) = local().refused("ListTagsForResource", &json!({"resourceArn": arn}));
    assert_eq!(message, "The account with id '123456789012' does not include a pipeline with the name 'not-existing'");
}

#[test]
fn tags_are_paged_on_request() {
    let mut local = local();
    local.call("TagResource", &json!({"resourceArn": WEB, "tags": numbered(0..5)}));
    let mut input = json!({"resourceArn": WEB, "maxResults": 2});
    let mut pages = Vec::new();
    loop {
        let reply = local.call("ListTagsForResource", &input);
        pages.push(reply["tags"].clone());
        let Some(next) = reply.get("nextToken") else { break };
        input["nextToken"] = next.clone();
    }
    assert_eq!(pages, [numbered(0..2), numbered(2..4), numbered(4..5)]);
    let other = json!({"resourceArn": TYPE, "nextToken": input["nextToken"]});
    assert_eq!(local.refused("ListTagsForResource", &other).0, "InvalidNextTokenException");
    for (size, valid) in [(0, false), (1, true), (100, true), (101, false)] {
        let reply = local.try_call("ListTagsForResource", &json!({"resourceArn": WEB, "maxResults": size}));
        assert_eq!(reply.is_ok(), valid, "{size}");
    }
}
