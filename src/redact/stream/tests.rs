use proptest::prelude::*;

use super::*;

fn streamed<'b>(redactor: &Redactor, pieces: impl IntoIterator<Item = &'b [u8]>) -> String {
    let (mut stream, mut shown) = (RedactedStream::new(redactor), String::new());
    pieces.into_iter().for_each(|piece| stream.push(piece, &mut shown));
    stream.finish(&mut shown);
    shown
}

/// The shown text of a stream whose pieces have this many bytes.
fn in_pieces_of(redactor: &Redactor, text: &str, length: usize) -> String {
    streamed(redactor, text.as_bytes().chunks(length))
}

fn assert_in_any_pieces(secrets: &[&str], text: &str, expected: &str) {
    let redactor = Redactor::new(secrets);
    assert_eq!(redactor.redact(text), expected, "{text:?} as a whole");
    for length in 1..=text.len() {
        assert_eq!(in_pieces_of(&redactor, text, length), expected, "{text:?} in pieces of {length} bytes");
    }
}

#[test]
fn a_secret_is_masked_however_it_is_divided() {
    assert_in_any_pieces(&["hunter2"], "a hunter2 b\nhunter2hunter2 hunt\n", "a **** b\n******** hunt\n");
    assert_in_any_pieces(&["first\nabc\nlast"], "<first\nabc\nlast>\nfirst\nabc\n", "<****>\n****\nabc\n");
    assert_in_any_pieces(&["a\nb\nc"], "a\nb\nc\na\nb\nb\n", "****\na\nb\nb\n");
    assert_in_any_pieces(&["pass", "password123"], "password123 password12\n", "**** ****word12\n");
    assert_in_any_pieces(&["ab\ncd", "cd\nef"], "xab\ncd\nefx\n", "x****x\n");
}

#[test]
fn escape_sequences_inside_a_secret_are_removed() {
    assert_in_any_pieces(&["hunter2"], "\u{1b}[1mhun\u{1b}[31mt\u{9b}0mer\u{1b}]8;;x\u{7}2\u{1b}[0m\n", "****\n");
    assert_in_any_pieces(&["hünter2"], "<hü\u{1b}]0;a title\u{1b}\\nter2>", "<****>");
    assert_in_any_pieces(&["hunter2"], "\u{1b}]0;no end\nhunter2\u{1b}[", "0;no end\n****");
}

#[test]
fn the_last_state_of_an_overwritten_line_is_shown() {
    assert_in_any_pieces(&["hunter2"], "1%\rhun\r100%\r\nN\u{8}NO\u{8}O\n", "100%\nNO\n");
    assert_in_any_pieces(&["hunter2"], "wrong\rhunter2", "****");
}

#[test]
fn a_short_secret_is_masked_as_a_word_across_pieces() {
    assert_in_any_pieces(&["a"], "a made-a_b\na\nba\n", "**** made-a_b\n****\nba\n");
    assert_in_any_pieces(&["a\nb"], "a\nb a\nbc", "**** a\nbc");
}

#[test]
fn a_line_is_shown_as_soon_as_it_ends() {
    let redactor = Redactor::new(["hunter2", "first\nlast"]);
    let (mut stream, mut shown) = (RedactedStream::new(&redactor), String::new());
    for (piece, expected) in [
        ("one\ntw", "one\n"),
        ("o\nfirst\nla", "one\ntwo\n"),
        ("ck\n", "one\ntwo\n****\nlack\n"),
        ("x", "one\ntwo\n****\nlack\n"),
    ] {
        stream.push(piece.as_bytes(), &mut shown);
        assert_eq!(shown, expected, "after {piece:?}");
    }
}

#[test]
fn a_line_without_end_is_kept_in_bounded_memory() {
    let redactor = Redactor::new(["hunter2"]);
    let (mut stream, mut shown) = (RedactedStream::new(&redactor), String::new());
    for _ in 0..1000 {
        stream.push(b"hunter2hunter2 aaaaaaaaaaaaaa\x1b]0;", &mut shown);
        stream.push(&[b'x'; 2000], &mut shown);
        assert!(stream.plain.text.capacity() + stream.open.capacity() < 512 * 1024);
    }
    assert!(shown.len() > 1_900_000 && !shown.contains("hunter2"));
}

#[test]
fn a_secret_that_repeats_itself_is_kept_in_bounded_memory() {
    let redactor = Redactor::new(["a\na\na\na"]);
    let (mut stream, mut shown) = (RedactedStream::new(&redactor), String::new());
    for _ in 0..100_000 {
        stream.push(b"a\n", &mut shown);
        assert!(stream.plain.text.len() < 100);
    }
    stream.finish(&mut shown);
    assert_eq!(shown, "****\n");
}

#[test]
fn no_part_of_a_secret_is_shown_where_the_stream_is_cut() {
    let secret = "correct-horse";
    let redactor = Redactor::new([secret]);
    let text = format!("{}{secret}{}", "x".repeat(300), "y".repeat(300));
    for cut in 300..=313 {
        let (before, after) = text.as_bytes().split_at(cut);
        let mut shown = String::new();
        let mut stream = RedactedStream::new(&redactor);
        stream.push(before, &mut shown);
        stream.cut(&mut shown);
        assert!(shown.trim_start_matches('x').trim_start_matches('*').is_empty(), "{cut}: {shown}");
        assert!(shown.len() >= 300, "{cut}: {shown}");

        let mut stream = RedactedStream::after_cut(&redactor);
        let mut shown = String::new();
        stream.push(after, &mut shown);
        stream.finish(&mut shown);
        assert!(shown.trim_matches('y').is_empty(), "{cut}: {shown}");

        let mut stream = RedactedStream::new(&redactor);
        let mut shown = String::new();
        stream.push(before, &mut shown);
        stream.hide();
        stream.push(after, &mut shown);
        stream.finish(&mut shown);
        assert_eq!(shown.trim_end_matches('y'), if cut == 313 { "" } else { "****" }, "{cut}");
    }
}

/// Texts of few different characters, so that secrets begin, end and overlap everywhere.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[abc\n]{0,6}",
        2 => "[\r\u{8}\n]{1,2}",
        1 => "\u{1b}[\\[\\](m;0]{0,3}",
        1 => Just("\u{1b}[31m".to_owned()),
        1 => "[ü\u{9b}\u{85}\u{c}\0 _]{1,2}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_shows_what_the_whole_text_shows(
        secrets in prop::collection::vec("[ab\n]{1,7}", 0..4),
        pieces in prop::collection::vec((any::<prop::sample::Index>(), piece()), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        garbage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
    ) {
        let redactor = Redactor::new(&secrets);
        let mut text: Vec<u8> = Vec::new();
        for (secret, piece) in &pieces {
            text.extend_from_slice(piece.as_bytes());
            if !secrets.is_empty() {
                text.extend_from_slice(secret.get(&secrets).as_bytes());
            }
        }
        for (place, byte) in &garbage {
            text.insert(place.index(text.len() + 1), *byte);
        }
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let divided = cuts.windows(2).map(|ends| &text[ends[0]..ends[1]]);
        let whole = decoded(&text);
        let shown = streamed(&redactor, divided);
        prop_assert_eq!(&shown, &*redactor.redact(&whole), "{:?}", whole);
        for secret in secrets.iter().filter(|secret| secret.trim().len() >= 4) {
            prop_assert!(!shown.contains(secret.as_str()), "{:?} in {:?}", secret, shown);
        }
    }

    #[test]
    fn a_hidden_beginning_shows_no_part_of_a_secret(
        secret in "[ab]{2}[abc]{4,6}",
        before in "[abd]{0,9}",
        after in "[abd\n]{0,9}",
        hidden in 0_usize..30,
    ) {
        let redactor = Redactor::new([&secret]);
        let text = format!("{before}{secret}{after}");
        let (first, second) = text.as_bytes().split_at(hidden.min(text.len()));
        let (mut stream, mut shown) = (RedactedStream::new(&redactor), String::new());
        stream.push(first, &mut String::new());
        stream.hide();
        stream.push(second, &mut shown);
        stream.finish(&mut shown);
        prop_assert!(!shown.contains(&secret));
        let expected = redactor.redact(&text).into_owned();
        prop_assert!(expected.ends_with(&shown), "{} does not end with {}", expected, shown);
    }
}
