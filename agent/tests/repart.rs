//! The definitions that systemd-repart reads on first boot say what layout v1 says.

use skerry_formats::layout::{MIB, Part};

const DEFINITIONS: [(Part, &str); 7] = [
    (Part::Esp, include_str!("../../overlays/base/usr/lib/repart.d/10-esp.conf")),
    (Part::Reserved, include_str!("../../overlays/base/usr/lib/repart.d/20-reserved.conf")),
    (Part::Meta1, include_str!("../../overlays/base/usr/lib/repart.d/30-meta-1.conf")),
    (Part::Meta2, include_str!("../../overlays/base/usr/lib/repart.d/31-meta-2.conf")),
    (Part::RootA, include_str!("../../overlays/base/usr/lib/repart.d/40-root-a.conf")),
    (Part::RootB, include_str!("../../overlays/base/usr/lib/repart.d/41-root-b.conf")),
    (Part::Data, include_str!("../../overlays/base/usr/lib/repart.d/50-data.conf")),
];

fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

fn bytes(size: &str) -> Option<u64> {
    let (number, unit) = size.split_at(size.len() - 1);
    Some(number.parse::<u64>().ok()? * if unit == "G" { 1024 * MIB } else { MIB })
}

#[test]
fn definitions_match_the_layout() {
    for (part, text) in DEFINITIONS {
        assert_eq!(value(text, "Type"), Some(part.type_guid().to_string().as_str()), "{part:?}");
        assert_eq!(value(text, "UUID"), Some(part.guid().to_string().as_str()), "{part:?}");
        assert_eq!(value(text, "Label"), Some(part.label()), "{part:?}");
        assert_eq!(value(text, "SizeMaxBytes").and_then(bytes), part.size(), "{part:?}");
        assert_eq!(part.size().is_some(), value(text, "SizeMinBytes").and_then(bytes) == part.size(), "{part:?}");
        assert_eq!(value(text, "Format"), None, "early boot formats, and only what is blank");
    }
}
