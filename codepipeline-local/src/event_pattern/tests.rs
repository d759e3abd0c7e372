//! Examples of EventBridge's user guide and of `aws/event-ruler`, and patterns that both refuse.

use serde_json::{Value, json};

use super::EventPattern;

fn pattern(pattern: &Value) -> EventPattern {
    EventPattern::parse(&pattern.to_string()).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

/// Whether a value of the member `field` matches these choices.
fn fits(choices: impl Into<Value>, value: impl Into<Value>) -> bool {
    let (choices, value) = (choices.into(), value.into());
    pattern(&json!({"detail": {"field": choices}})).matches(&json!({"detail": {"field": value}}))
}

fn event() -> Value {
    json!({
        "version": "0",
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": "111122223333",
        "time": "2017-10-02T18:43:48Z",
        "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-a", "arn:aws:ec2:us-east-1:123456789012:instance/i-b"],
        "detail": {
            "c-count": 5, "d-count": 3, "x-limit": 301.8, "source-ip": "10.0.0.33", "state": "running", "ok": true, "no": null,
            "empty": "", "none": [],
        },
    })
}

#[test]
fn every_member_must_match_one_choice() {
    for taken in [
        json!({"source": ["aws.ec2"], "detail": {"state": ["initializing", "running"]}}),
        json!({"resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-b"]}),
        json!({"detail": {"ok": [true], "no": [null], "empty": [""], "c-count": [5.0]}}),
        json!({"detail.state": ["running"]}),
        json!({
            "time": [{"prefix": "2017-10-02"}],
            "detail": {
                "state": [{"anything-but": "initializing"}],
                "c-count": [{"numeric": [">", 0, "<=", 5]}],
                "d-count": [{"numeric": ["<", 10]}],
                "x-limit": [{"anything-but": [100, 200, 300]}],
                "source-ip": [{"cidr": "10.0.0.0/8"}],
            },
        }),
    ] {
        assert!(pattern(&taken).matches(&event()), "{taken}");
    }
    for left in [
        json!({"source": ["aws.events"]}),
        json!({"source": ["aws.ec2"], "detail": {"state": ["stopped"]}}),
        json!({"source": ["AWS.EC2"]}),
        json!({"detail": {"ok": ["true"]}}),
        json!({"detail": {"no": ["null"]}}),
        json!({"detail": {"no": [""]}}),
        json!({"detail": {"c-count": ["5"]}}),
        json!({"detail": {"missing": ["x"]}}),
        json!({"missing": {"member": ["x"]}}),
        json!({"source": {"member": ["aws.ec2"]}}),
    ] {
        assert!(!pattern(&left).matches(&event()), "{left}");
    }
}

#[test]
fn strings_are_compared_as_the_user_guide_says() {
    for (choice, taken, left) in [
        (json!({"prefix": "2017-10-02"}), "2017-10-02T18:43:48Z", "2017-10-03"),
        (json!({"prefix": {"equals-ignore-case": "EventB"}}), "eVENTbridge", "event"),
        (json!({"suffix": ".png"}), "a.png", "a.PNG"),
        (json!({"suffix": {"equals-ignore-case": ".png"}}), "a.PnG", "png"),
        (json!({"equals-ignore-case": "alice"}), "ALICE", "alices"),
        (json!({"equals-ignore-case": "Ärger"}), "ärGER", "arger"),
        (json!({"wildcard": "dir/*.png"}), "dir/a/b.png", "dir/a.jpg"),
        (json!({"wildcard": "*Simple*Service"}), "AmazonSimpleQueueService", "SimpleServices"),
        (json!({"wildcard": "*"}), "", ""),
        (json!({"exactly": "a"}), "a", "b"),
        (json!({"anything-but": "initializing"}), "running", "initializing"),
        (json!({"anything-but": ["stopped", "overloaded"]}), "running", "overloaded"),
        (json!({"anything-but": {"prefix": "init"}}), "running", "initializing"),
        (json!({"anything-but": {"prefix": ["init", "error"]}}), "running", "error 1"),
        (json!({"anything-but": {"suffix": ".png"}}), "a.jpg", "a.png"),
        (json!({"anything-but": {"suffix": [".txt", ".rtf"]}}), "a.png", "a.rtf"),
        (json!({"anything-but": {"equals-ignore-case": "initializing"}}), "running", "INITIALIZING"),
        (json!({"anything-but": {"equals-ignore-case": ["initializing", "stopped"]}}), "running", "Stopped"),
        (json!({"anything-but": {"wildcard": "*/lib/*"}}), "/usr/bin/a", "/usr/lib/a"),
        (json!({"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}), "/etc/a", "/usr/bin/a"),
    ] {
        assert!(fits(json!([choice]), json!(taken)), "{choice} {taken}");
        assert!(left.is_empty() || !fits(json!([choice]), json!(left)), "{choice} {left}");
    }
    for name in ["prefix", "suffix", "wildcard", "equals-ignore-case"] {
        assert!(!fits(json!([{name: "1"}]), json!(1)), "{name} compares only strings");
    }
}

#[test]
fn anything_but_matches_other_types_but_not_absence() {
    for other in [json!(1), json!(true), json!(null)] {
        assert!(fits(json!([{"anything-but": "a"}]), other.clone()), "{other}");
        assert!(fits(json!([{"anything-but": {"prefix": "a"}}]), other.clone()), "{other}");
    }
    assert!(fits(json!([{"anything-but": 123}]), json!("123")));
    assert!(!fits(json!([{"anything-but": [100, 123]}]), json!(123.0)));
    assert!(!pattern(&json!({"field": [{"anything-but": "a"}]})).matches(&json!({"other": "b"})));
    assert!(!fits(json!([{"anything-but": "a"}]), json!([])));
    // One matching value of a list is enough.
    assert!(
        fits(json!([{"anything-but": "a"}]), json!(["a", "b"])) && !fits(json!([{"anything-but": "a"}]), json!(["a"]))
    );
}

#[test]
fn numbers_are_compared_at_both_ends_of_a_range() {
    for (range, taken, left) in [
        (json!(["=", 3.018e2]), vec![301.8], vec![301.7, 302.0]),
        (json!([">", 0]), vec![0.1, 6.0e9], vec![0.0, -1.0]),
        (json!([">=", 0]), vec![0.0, 1.0], vec![-0.1]),
        (json!(["<", 10]), vec![9.9, -6.0e9], vec![10.0]),
        (json!(["<=", 10]), vec![10.0], vec![10.1]),
        (json!([">", 0, "<=", 5]), vec![0.1, 5.0], vec![0.0, 5.1]),
        (json!([">=", -1.5, "<", 5]), vec![-1.5, 4.9], vec![-1.6, 5.0]),
    ] {
        for (values, wanted) in [(taken, true), (left, false)] {
            for value in values {
                assert_eq!(fits(json!([{"numeric": range}]), json!(value)), wanted, "{range} {value}");
            }
        }
        assert!(!fits(json!([{"numeric": range}]), json!("1")), "{range} compares only numbers");
    }
    assert!(fits(json!([1]), json!(1.0)) && fits(json!([1e0]), json!(1)));
    assert!(!fits(json!([9_007_199_254_740_993_u64]), json!(9_007_199_254_740_992_u64)), "as floats they are the same");
}

#[test]
fn addresses_are_compared_as_addresses() {
    for (choice, taken, left) in [
        (json!({"cidr": "10.0.0.0/24"}), "10.0.0.255", "10.0.1.0"),
        (json!({"cidr": "10.0.0.7/31"}), "10.0.0.6", "10.0.0.8"),
        (json!({"cidr": "0.0.0.0/0"}), "255.1.2.3", "::1"),
        (json!({"cidr": "2001:db8::/32"}), "2001:db8:1::1", "2001:db9::"),
        (json!({"cidr": "::/0"}), "2001:db8::", "10.0.0.1"),
        (json!({"cidr": "10.0.0.0/8"}), "10.1.2.3", "ten"),
        (json!("0:0:0:0:0:0:0:1"), "::1", "::2"),
    ] {
        assert!(fits(json!([choice]), json!(taken)), "{choice} {taken}");
        assert!(!fits(json!([choice]), json!(left)), "{choice} {left}");
    }
}

#[test]
fn exists_sees_values_but_not_objects() {
    let exists = |wanted: bool, member: &str| pattern(&json!({"detail": {member: [{"exists": wanted}]}}));
    for (member, there) in [("state", true), ("no", true), ("empty", true), ("none", false), ("missing", false)] {
        assert_eq!(exists(true, member).matches(&event()), there, "{member}");
        assert_eq!(exists(false, member).matches(&event()), !there, "{member}");
    }
    // The guide's example: an object is not a leaf.
    let nested = json!({"detail": {"c-count": {"c1": 100}}});
    assert!(exists(false, "c-count").matches(&nested) && !exists(true, "c-count").matches(&nested));
    let either = pattern(&json!({"detail": {"missing": ["a", {"exists": false}]}}));
    assert!(either.matches(&event()) && either.matches(&json!({"detail": {"missing": "a"}})));
    assert!(!either.matches(&json!({"detail": {"missing": "b"}})));
}

#[test]
fn one_array_element_must_match_the_whole_rule() {
    let person = |first: &str, last: &str| json!({"firstName": first, "lastName": last});
    let (john, anna, peter) = (person("John", "Doe"), person("Anna", "Smith"), person("Peter", "Jones"));
    let flat = json!({"employees": [john, anna, peter]});
    let nested = json!({"employees": [[john, anna], [peter]]});
    let named = |first: &str, last: &str| pattern(&json!({"employees": {"firstName": [first], "lastName": [last]}}));
    for employees in [flat, nested] {
        assert!(pattern(&json!({"employees": {"firstName": ["Anna"]}})).matches(&employees));
        assert!(named("Anna", "Smith").matches(&employees) && named("Peter", "Jones").matches(&employees));
        assert!(!named("Anna", "Jones").matches(&employees));
    }
    let absent = pattern(&json!({"employees": {"firstName": ["Anna"], "title": [{"exists": false}]}}));
    assert!(absent.matches(&json!({"employees": [anna, {"firstName": "John", "title": "Dr"}]})));
    assert!(!absent.matches(&json!({"employees": [{"firstName": "Anna", "title": "Dr"}, {"firstName": "John"}]})));
}

#[test]
fn or_matches_one_of_its_objects() {
    let metrics = pattern(&json!({
        "source": ["aws.cloudwatch"],
        "$or": [
            {"metricName": ["CPUUtilization", "ReadLatency"]},
            {"metricType": ["MetricType"], "namespace": ["AWS/EC2"], "$or": [{"metricId": [1234]}, {"spaceId": [1000]}]},
            {"scope": ["Service"]},
        ],
    }));
    for (event, taken) in [
        (json!({"source": "aws.cloudwatch", "metricName": "ReadLatency"}), true),
        (
            json!({"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/EC2", "spaceId": 1000}),
            true,
        ),
        (json!({"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/EC2", "spaceId": 1}), false),
        (json!({"source": "aws.cloudwatch", "scope": "Service"}), true),
        (json!({"source": "aws.cloudwatch"}), false),
        (json!({"source": "aws.ec2", "scope": "Service"}), false),
    ] {
        assert_eq!(metrics.matches(&event), taken, "{event}");
    }
    let parallel = pattern(&json!({
        "$or": [{"a": [1]}, {"b": [1]}],
        "detail": {"$or": [{"c": [{"numeric": [">", 0]}]}, {"d": [{"exists": false}]}]},
    }));
    assert!(parallel.matches(&json!({"b": 1, "detail": {"c": 1, "d": 1}})));
    assert!(parallel.matches(&json!({"a": 1})));
    assert!(!parallel.matches(&json!({"a": 1, "detail": {"c": 0, "d": 1}})));
}

#[test]
fn default_pattern_matches_events_for_a_job_worker() {
    let event = |kind: &str, owner: &str, state: &str| {
        json!({
            "source": "aws.codepipeline", "detail-type": format!("CodePipeline {kind} Execution State Change"),
            "detail": {"state": state, "type": {"owner": owner, "category": "Test", "provider": "Check", "version": "1"}},
        })
    };
    let taken = |kind, owner, state| EventPattern::action_events().matches(&event(kind, owner, state));
    for state in ["STARTED", "FAILED", "ABANDONED", "CANCELED"] {
        assert!(taken("Action", "Custom", state) && taken("Action", "ThirdParty", state), "{state}");
        assert!(!taken("Action", "AWS", state) && !taken("Stage", "Custom", state), "{state}");
    }
    assert!(!taken("Action", "Custom", "SUCCEEDED"));
}

#[test]
fn malformed_pattern_is_refused_with_place_and_reason() {
    for (pattern, place, reason) in [
        ("[]", "the pattern", "object"),
        ("{", "the pattern", "JSON"),
        ("{}", "the pattern", "empty object"),
        (r#"{"detail": {}}"#, "/detail: ", "empty object"),
        (r#"{"detail": {"state": "STARTED"}}"#, "/detail/state: ", "list of values"),
        (r#"{"detail": {"state": []}}"#, "/detail/state: ", "empty list"),
        (r#"{"a": ["x", ["y"]]}"#, "/a/1: ", "list can't contain"),
        (r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#, "/a/0: ", "one name and not 2"),
        (r#"{"a": [{}]}"#, "/a/0: ", "one name and not 0"),
        (r#"{"a": [{"regex": "x"}]}"#, "/a/0: ", "\"regex\" is not a comparison"),
        (r#"{"a": [{"prefix": 3}]}"#, "/a/0: ", "string"),
        (r#"{"a": [{"prefix": {"suffix": "x"}}]}"#, "/a/0: ", "can't be in prefix"),
        (r#"{"a": [{"suffix": {"equals-ignore-case": ["x"]}}]}"#, "/a/0: ", "string"),
        (r#"{"a": [{"equals-ignore-case": ["x"]}]}"#, "/a/0: ", "string"),
        (r#"{"a": [{"wildcard": "a**b"}]}"#, "/a/0: ", "two wildcards"),
        (r#"{"a": [{"wildcard": "a\\b"}]}"#, "/a/0: ", "backslash"),
        (r#"{"a": [{"anything-but": []}]}"#, "/a/0: ", "empty"),
        (r#"{"a": [{"anything-but": [1, "x"]}]}"#, "/a/0: ", "only numbers"),
        (r#"{"a": [{"anything-but": null}]}"#, "/a/0: ", "only numbers"),
        (r#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "/a/0: ", "not empty"),
        (r#"{"a": [{"anything-but": {"numeric": [">", 1]}}]}"#, "/a/0: ", "can't be in anything-but"),
        (r#"{"a": [{"anything-but": {"wildcard": ["x", "a**"]}}]}"#, "/a/0: ", "two wildcards"),
        (r#"{"a": [{"anything-but": 6e9}]}"#, "/a/0: ", "out of bounds"),
        (r#"{"a": [{"numeric": [">"]}]}"#, "/a/0: ", "[\">\", 0]"),
        (r#"{"a": [{"numeric": ["=", "1"]}]}"#, "/a/0: ", "[\">\", 0]"),
        (r#"{"a": [{"numeric": ["<", 1, ">", 0]}]}"#, "/a/0: ", "lower end first"),
        (r#"{"a": [{"numeric": [">", 1, "<", 1]}]}"#, "/a/0: ", "is empty"),
        (r#"{"a": [{"numeric": [">", 6e9]}]}"#, "/a/0: ", "out of bounds"),
        (r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "/a/0: ", "block of addresses"),
        (r#"{"a": [{"cidr": "10.0.0.0/32"}]}"#, "/a/0: ", "fewer than 32"),
        (r#"{"a": [{"exists": "yes"}]}"#, "/a/0: ", "true or false"),
        (r#"{"$or": {"a": ["x"]}}"#, "/$or: ", "two objects"),
        (r#"{"d": {"$or": [{"a": ["x"]}]}}"#, "/d/$or: ", "two objects"),
        (r#"{"$or": [{"a": ["x"]}, "b"]}"#, "/$or/1: ", "only an object"),
        (r#"{"$or": [{"a": ["x"]}, {"b": {"prefix": ["x"]}}]}"#, "/$or/1/b/prefix: ", "name of a comparison"),
        (r#"{"$or": [{"a": ["x"]}, {"b": ["y"]}], "a": ["z"]}"#, "/a: ", "twice"),
    ] {
        let error = EventPattern::parse(pattern).unwrap_err();
        assert!(error.starts_with(place) && error.contains(reason), "{pattern}: {error}");
    }
}

#[test]
fn patterns_have_eventbridges_limits() {
    let long = json!({"a": ["x".repeat(4096)]}).to_string();
    assert!(EventPattern::parse(&long).unwrap_err().contains("4096"));
    // Ten times ten times ten rules, and one more.
    let or =
        |count: usize, name: &str| json!({"$or": (0..count).map(|number| json!({name: [number]})).collect::<Vec<_>>()});
    let all = |count| json!({"a": or(count, "x"), "b": or(10, "x"), "c": or(10, "x")}).to_string();
    assert!(EventPattern::parse(&all(10)).is_ok());
    assert!(EventPattern::parse(&all(11)).unwrap_err().contains("1000 rules"));
}
