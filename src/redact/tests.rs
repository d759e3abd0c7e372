use proptest::prelude::*;

use super::*;

fn redact(secrets: &[&str], text: &str) -> String {
    Redactor::new(secrets).redact(text).into_owned()
}

fn shown(redactor: &Redactor, bytes: &[u8], hidden: usize, cut_before: bool, cut_after: bool) -> String {
    redactor.excerpt(Piece { bytes, hidden, cut_before, cut_after })
}

fn key(name: &str, value: &str) -> (SecretName, SecretString) {
    (SecretName::Key(name.to_owned()), value.to_owned().into())
}

#[test]
fn each_occurrence_becomes_a_mask() {
    assert_eq!(redact(&["hunter2"], "a hunter2 b hunter2hunter2"), "a **** b ********");
    assert_eq!(redact(&["hünter"], "ähünterü"), "ä****ü");
}

#[test]
fn a_text_without_secrets_is_not_copied() {
    assert!(matches!(Redactor::new(["hunter2"]).redact("nothing here"), Cow::Borrowed(_)));
    assert_eq!(redact(&["", " \n"], "nothing here"), "nothing here");
}

#[test]
fn a_short_secret_is_masked_as_a_whole_word() {
    assert_eq!(redact(&["a"], "a made banana, a-b \"a\" a_b aü"), "**** made banana, ****-b \"****\" a_b aü");
    assert_eq!(redact(&["1", "eu"], "v1 of 1 in eu, not europe: 1"), "v1 of **** in ****, not europe: ****");
    assert_eq!(redact(&["ab\n"], "ab abc"), "**** abc");
    assert_eq!(redact(&["a\na"], "ba\na\na"), "ba\n****");
    assert_eq!(redact(&["prod"], "made prod-web-1 in production"), "made ****-web-1 in ****uction");
}

#[test]
fn the_longer_of_two_secrets_wins() {
    assert_eq!(redact(&["pass", "password123"], "password123 pass"), "**** ****");
}

#[test]
fn overlapping_secrets_are_masked_as_one() {
    assert_eq!(redact(&["abcdef", "defghi"], "xabcdefghix"), "x****x");
    assert_eq!(redact(&["abab"], "xabababx"), "x****x");
    assert_eq!(redact(&["bcd!", "abcd!e", "!efg"], "xabcd!efgx"), "x****x");
}

#[test]
fn a_secret_of_several_lines_is_found_line_by_line() {
    let secret = "-----BEGIN-----\r\nfirst line\r\nabc\nlast line\n";
    assert_eq!(redact(&[secret], "> last line <\n> first line <\n> abc <"), "> **** <\n> **** <\n> abc <");
    assert_eq!(redact(&[secret], &format!("<{secret}>")), "<****>");
    assert_eq!(redact(&["abc\n"], "<abc>"), "<****>");
}

#[test]
fn escaped_and_encoded_forms_are_found() {
    let secret = "p\"ä/s w+\n?1~";
    for form in [
        r#"p\"ä/s w+\n?1~"#,
        r#"p\"\u00e4/s w+\n?1~"#,
        r#"p\"ä\/s w+\n?1~"#,
        "p%22%C3%A4%2Fs%20w%2B%0A%3F1~",
        "p%22%c3%a4%2fs%20w%2b%0a%3f1~",
        "p%22%C3%A4/s%20w%2B%0A%3F1~",
        "p%22%C3%A4%2Fs+w%2B%0A%3F1%7E",
        "cCLDpC9zIHcrCj8xfg==",
        "cCLDpC9zIHcrCj8xfg",
    ] {
        assert_eq!(redact(&[secret], &format!("<{form}>")), "<****>", "{form}");
    }
    assert_eq!(redact(&["???>>>~~~"], "<Pz8/Pj4+fn5+> <Pz8_Pj4-fn5->"), "<****> <****>");
}

#[test]
fn a_secret_anywhere_in_base64_is_found() {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    for user in ["", "u", "us", "use", "user"] {
        let encoded = BASE64_STANDARD.encode(format!("{user}:correct horse battery:x"));
        let redacted = redact(&["correct horse battery"], &encoded);
        assert!(redacted.contains(MASK) && redacted.len() < encoded.len() - 20, "{user}: {redacted}");
    }
}

#[test]
fn wrapped_base64_is_found() {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let secret = "0123456789".repeat(8);
    let encoded = BASE64_STANDARD.encode(&secret);
    for width in [64, 76] {
        assert_eq!(redact(&[&secret], &format!("{}\n{}", &encoded[..width], &encoded[width..])), MASK);
    }
}

#[test]
fn a_secret_that_escape_sequences_divide_is_masked() {
    assert_eq!(redact(&["hunter2"], "a \u{1b}[1mhun\u{1b}[31mter\u{1b}[0m2\0 b"), "a **** b");
    assert_eq!(redact(&["hunter2"], "hun\u{1b}]8;;u\u{7}ter2\r\n"), "****\n");
}

#[test]
fn a_secret_with_control_characters_is_masked_in_plain_text() {
    for secret in ["corr\u{1b}[1mect", "corr\0ect", "wrong\rcorrect", "correx\u{8}ct"] {
        assert_eq!(redact(&[secret], &format!("<\n{secret}\n>")), "<\n****\n>", "{secret:?}");
        let escaped = serde_json::Value::from(secret).to_string();
        assert_eq!(redact(&[secret], &escaped), "\"****\"", "{secret:?}");
    }
    assert_eq!(redact(&["correct\rno"], "no correct"), "no ****");
}

#[test]
fn a_secret_that_begins_before_the_piece_is_masked() {
    let redactor = Redactor::new(["secret"]);
    let text = b"aa secret bb secret cc";
    assert_eq!(shown(&redactor, text, 6, false, false), "**** bb **** cc");
    assert_eq!(shown(&redactor, text, 9, false, false), " bb **** cc");
    assert_eq!(redactor.excerpt(Piece::whole(text)), "aa **** bb **** cc");
}

#[test]
fn no_part_of_a_secret_is_shown_at_a_cut() {
    let redactor = Redactor::new(["correct-horse"]);
    let longest = redactor.longest_form();
    let text = format!("{}correct-horse{}", "x".repeat(100), "y".repeat(100));
    for cut in 100..113 {
        let before = shown(&redactor, &text.as_bytes()[cut..], 0, true, false);
        assert_eq!(before.trim_start_matches("****").trim_start_matches('y'), "", "{cut}: {before}");
        let after = shown(&redactor, &text.as_bytes()[..cut], 0, false, true);
        assert_eq!(after, "x".repeat(cut - longest), "{cut}");
    }
    let coloured = "\u{1b}[1mo\u{1b}[2mr\u{1b}[1ms\u{1b}[2me\u{1b}[1m and more than that";
    assert!(!shown(&redactor, coloured.as_bytes(), 10, true, false).contains('e'));
}

#[test]
fn a_piece_splits_no_character_and_may_have_any_bytes() {
    let redactor = Redactor::new(["secret"]);
    assert_eq!(shown(&redactor, "a€b€c".as_bytes(), 2, false, false), "b€c");
    assert_eq!(redactor.excerpt(Piece::whole(b"\xffsecret\xff")), "\u{fffd}****\u{fffd}");
    assert_eq!(redactor.excerpt(Piece::whole(&[0xa0; 9])).chars().count(), 9);
    assert_eq!(shown(&redactor, b"abc", 9, true, true), "");
}

#[test]
fn a_long_secret_of_many_similar_lines_is_found() {
    let secret: String = (4..300).map(|length| "a".repeat(length) + "\n").collect();
    let text = "a".repeat(64 * 1024);
    assert_eq!(redact(&[&secret, &"a".repeat(50_000)], &text), MASK);
}

#[test]
fn data_names_the_secret_that_it_holds() {
    let redactor = Redactor::named([key("Short", "eu1"), key("Stage", "prod"), key("Token", "a/longer+one")]);
    let found = |data: &str, at_least| redactor.secret_in(data, at_least).map(ToString::to_string);
    assert_eq!(found("prod-web-1", SECRET_IN_DATA).as_deref(), Some("the value of the secret `Stage`"));
    assert_eq!(found("prod-web-1", SECRET_IN_TOKEN), None);
    assert_eq!(found("prod a%2Flonger%2Bone", SECRET_IN_TOKEN).as_deref(), Some("the value of the secret `Token`"));
    assert_eq!(found("YS9sb25nZXIrb25l", SECRET_IN_DATA).as_deref(), Some("the value of the secret `Token`"));
    assert_eq!(found("pr\u{1b}[1mod", SECRET_IN_DATA).as_deref(), Some("the value of the secret `Stage`"));
    for data in ["eu1", "a eu1 b", "pro", ""] {
        assert_eq!(found(data, 0), None, "{data}");
    }
}

#[test]
fn a_short_line_of_a_secret_is_only_masked() {
    let secret = "apiVersion: v1\nkind: Config\n-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\ntoken: hunter2";
    let redactor = Redactor::named([key("Kubeconfig", secret), key("Two", "prod\nüü-7")]);
    let found = |data: &str, at_least| redactor.secret_in(data, at_least).map(ToString::to_string);
    for line in secret.lines().filter(|line| line.len() < 16 || line.starts_with('-')) {
        for data in [line.to_owned(), format!("a\n{line}\nb"), serde_json::json!({ "a": line }).to_string()] {
            assert_eq!(found(&data, SECRET_IN_DATA), None, "{data}");
            assert!(redactor.redact(&data).contains(MASK), "{data}");
        }
    }
    assert_eq!(found("prod", SECRET_IN_TOKEN), None);
    let kubeconfig = Some("the value of the secret `Kubeconfig`");
    for data in ["-MIIBszCCAVmgAwIBAgIU-", "TUlJQnN6Q0NBVm1nQXdJQkFnSVU=", secret, &secret.replace('\n', "\\n")] {
        assert_eq!(found(data, SECRET_IN_TOKEN).as_deref(), kubeconfig, "{data}");
    }
    assert_eq!(found("a prod\nüü-7", SECRET_IN_TOKEN).as_deref(), Some("the value of the secret `Two`"));
}

#[test]
fn lines_of_a_text_that_contains_secrets_may_be_in_data() {
    let text = "{\n  \"Token\": \"hunter2\",\n  \"Image\": \"registry/team/app:1\"\n}";
    let redactor = Redactor::named([(SecretName::Text("the parameters"), text.to_owned().into())]);
    assert_eq!(redactor.secret_in("\"Image\": \"registry/team/app:1\"", SECRET_IN_DATA), None);
    assert_eq!(redactor.secret_in(text, SECRET_IN_DATA), Some(&SecretName::Text("the parameters")));
    assert!(redactor.redact("\"Image\": \"registry/team/app:1\"").contains(MASK));
}

#[test]
fn a_token_may_hold_the_plain_rest_of_a_longer_secret() {
    let redactor = Redactor::named([key("Bar", "progress\rprod")]);
    assert!(redactor.secret_in("/prod/7", SECRET_IN_DATA).is_some());
    assert_eq!(redactor.secret_in("/prod/7", SECRET_IN_TOKEN), None);
}

proptest! {
    #[test]
    fn no_secret_survives(
        secrets in prop::collection::vec("[ab]{4,6}", 1..4),
        text in "[abc]{0,40}",
        cut in 0_usize..40,
    ) {
        let redactor = Redactor::new(&secrets);
        let hidden = cut.min(text.len());
        let coloured: String = text.chars().map(|c| format!("{c}\u{1b}[1m")).collect();
        for redacted in [
            redactor.redact(&text).into_owned(),
            redactor.redact(&coloured).into_owned(),
            shown(&redactor, text.as_bytes(), hidden, false, false),
        ] {
            for secret in &secrets {
                prop_assert!(!redacted.contains(secret.as_str()), "{} in {}", secret, redacted);
            }
        }
    }
}
