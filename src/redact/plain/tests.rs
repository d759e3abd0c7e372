use proptest::prelude::*;

use super::*;

#[test]
fn escape_sequences_are_removed() {
    for (text, expected) in [
        ("\u{1b}[31;1mtests failed\u{1b}[0m", "tests failed"),
        ("\u{1b}[38:2::255:0:0mred\u{1b}[m", "red"),
        ("\u{1b}[2K\u{1b}[1A\u{1b}[?25lx\u{1b}[?25h", "x"),
        ("\u{1b}]0;a title\u{7}x", "x"),
        ("\u{1b}]8;;https://x.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}(Bx\u{1b}=\u{1b}>\u{1b}c\u{1b}7y\u{1b}8", "xy"),
        ("\u{1b}P1$r0m\u{1b}\\x\u{1b}_app\u{1b}\\y\u{1b}^pm\u{1b}\\z", "xyz"),
        ("\u{9b}31mred\u{9b}0m \u{9d}0;title\u{9c}x", "red x"),
        ("a\u{1b}", "a"),
        ("a\u{1b}[31", "a"),
        ("a\u{1b}[31ü", "aü"),
        ("\u{1b}\u{1b}[1mx", "x"),
    ] {
        assert_eq!(plain(text), expected, "{text:?}");
    }
}

#[test]
fn text_after_an_unterminated_string_stays() {
    assert_eq!(plain("\u{1b}]0;title\nan error\u{7}"), "0;title\nan error");
    assert_eq!(plain("\u{1b}]0;a\u{1b}[1mb\u{7}c"), "0;abc");
}

#[test]
fn control_characters_except_tab_and_line_feed_are_removed() {
    assert_eq!(plain("a\0b\u{7}c\td\n\u{7f}e\u{1}"), "abc\td\ne");
    assert_eq!(plain("one\u{c}two\u{b}three\u{85}four"), "one\ntwo\nthree\nfour");
    assert!(matches!(plain("plain\ttext\n"), Cow::Borrowed(_)));
}

#[test]
fn only_the_last_state_of_an_overwritten_line_stays() {
    for (text, expected) in [
        ("\rprogress 10%\rprogress 50%\rprogress 100%\n", "progress 100%\n"),
        ("progress 100%\r", "progress 100%"),
        ("one\r\ntwo\r\r\nthree", "one\ntwo\nthree"),
        ("10%\r\u{1b}[K20%\r\u{1b}[K", "20%"),
        ("before\n1%\r2%\nafter", "before\n2%\nafter"),
    ] {
        assert_eq!(plain(text), expected, "{text:?}");
    }
}

#[test]
fn a_backspace_removes_a_character() {
    assert_eq!(plain("|\u{8}/\u{8}-\u{8}done"), "done");
    assert_eq!(plain("N\u{8}NA\u{8}AM\u{8}ME\u{8}E"), "NAME");
    assert_eq!(plain("10%\u{8}\u{8}\u{8}20%\u{8}\u{8}\u{8}\nx"), "20%\nx");
    assert_eq!(plain("a\n\u{8}\u{8}ü\u{8}b"), "a\nb");
}

#[test]
fn invalid_utf8_becomes_a_control_or_a_replacement() {
    assert_eq!(plain(&decoded(b"\x9b31mred\x9b0m caf\xe9 \x9d0;t\x9cx")), "red caf\u{fffd} x");
    assert_eq!(decoded("ünï€".as_bytes()), "ünï€");
}

#[test]
fn hidden_text_stays_hidden_unless_its_line_is_overwritten() {
    let shown = |text: &str, hidden, unknown| {
        let plain = Plain::of(text, hidden, unknown);
        plain.text[plain.hidden..].to_owned()
    };
    assert_eq!(shown("abcdef", 3, 0), "def");
    assert_eq!(shown("abcdef", 3, 4), "ef");
    assert_eq!(shown("ab\u{1b}[31mcdef", 4, 0), "cdef");
    assert_eq!(shown("ab\u{1b}[31mcdef", 8, 0), "def");
    assert_eq!(shown("abcdef\rxyz", 3, 100), "xyz");
    assert_eq!(shown("ab\ncdef\rxyz", 5, 2), "xyz");
    assert_eq!(shown("aü", 2, 0), "");
}

proptest! {
    #[test]
    fn any_text_becomes_plain(pieces in prop::collection::vec(
        prop_oneof!["\\PC{0,4}", "[\u{0}-\u{1f}\u{7f}-\u{9f}]{1,3}", "\u{1b}[\\]\\[PX(0-9;m]{1,4}"], 0..12,
    )) {
        let text = pieces.concat();
        let once = plain(&text).into_owned();
        prop_assert!(once.chars().all(is_plain), "{once:?}");
        prop_assert_eq!(&plain(&once), &once);
        for hidden in 0..=text.len() {
            let part = Plain::of(&text, hidden, 0);
            prop_assert_eq!(&part.text, &once);
            prop_assert!(part.text.is_char_boundary(part.hidden));
        }
    }
}
