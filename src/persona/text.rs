//! Text and numbers as a card tells them.

/// Characters of one text at most: longer ones are refused where people write, and cut where they come from data.
pub(super) const MAX_TEXT: usize = 10_000;
/// Characters of a category or a name from data.
pub(super) const MAX_NAME: usize = 200;

/// Text in which every character stands for itself: control characters, marks that turn the direction of what follows and
/// characters that are none become U+FFFD, and white space becomes single spaces.
///
/// The tables of Python's `ilk._html.printable` and this one are the same.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !cleaned.is_empty() {
            cleaned.push(' ');
        }
        cleaned.extend(word.chars().map(|c| if is_printable(c) { c } else { '\u{fffd}' }));
    }
    cleaned
}

/// [`clean`] text of at most 200 characters, the last of which is then an ellipsis.
pub fn name(text: &str) -> String {
    // The first characters are enough: white space only ever gets shorter, and a megabyte of it names nothing.
    let head: String = text.chars().take(4 * MAX_NAME).collect();
    let cleaned = clean(&head);
    if cleaned.chars().count() <= MAX_NAME && head.len() == text.len() {
        return cleaned;
    }
    cleaned.chars().take(MAX_NAME - 1).chain(['…']).collect()
}

fn is_printable(c: char) -> bool {
    !matches!(
        u32::from(c),
        0x00..=0x1f | 0x7f..=0x9f | 0x202a..=0x202e | 0x2066..=0x2069 | 0xfdd0..=0xfdef | 0xfffe | 0xffff
    )
}

/// A number rounded to significant digits.
pub fn significant(value: f64, digits: usize) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    // The shortest text of so many digits is what a person would write, and reads back to the nearest number.
    format!("{value:.*e}", digits.max(1) - 1).parse().unwrap_or(value)
}

/// A number as a person reads it, exactly.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(w, p)| (w, Some(p)));
    // Years and short numbers stay together.
    let grouped = if whole.len() <= 4 || whole.len() > 18 {
        whole.to_string()
    } else {
        let bytes = whole.as_bytes();
        let groups: Vec<&str> =
            bytes.rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
        groups.join(",")
    };
    match part {
        Some(part) => format!("{sign}{grouped}.{part}"),
        None => format!("{sign}{grouped}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_stands_for_itself() {
        assert_eq!(clean("a\n\t b\u{202e}c\u{1b}[2J  "), "a b\u{fffd}c\u{fffd}[2J");
        assert_eq!(clean("   "), "");
        assert_eq!(clean(&clean("x \u{0} y")), clean("x \u{0} y"));
    }

    #[test]
    fn names_are_cut_to_their_length() {
        let long = name(&"ä".repeat(1_000_000));
        assert_eq!(long.chars().count(), MAX_NAME);
        assert!(long.ends_with('…'));
        assert_eq!(name("short"), "short");
        assert_eq!(name(&long), long);
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(significant(0.482_758_6, 3), 0.483);
        assert_eq!(significant(71_304.2, 4), 71_300.0);
        assert_eq!(significant(-0.0, 3), 0.0);
        assert_eq!(significant(1e300, 2), 1e300);
        assert_eq!(number(71_300.0), "71,300");
        assert_eq!(number(1980.0), "1980");
        assert_eq!(number(-1_234_567.5), "-1,234,567.5");
        assert_eq!(number(0.25), "0.25");
    }
}
