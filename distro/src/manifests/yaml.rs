//! YAML as `kubectl` reads it. In two things that is YAML 1.1, where the library goes by 1.2: `0400` is a number written in octal
//! digits, as modes of files are, and `<<` puts other maps into its own (<https://yaml.org/type/merge.html>).
//!
//! Both only where they are written plainly. The library does not say how a text was written, but it lends texts out of the document
//! that they stand in: behind one in quotes is the quote.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads one of the documents of a text.
///
/// # Errors
/// If it is none, or merges what is no map.
pub fn value<'de, D: Deserializer<'de>>(document: D, text: &'de str) -> Result<Value, D::Error> {
    Node { text }.deserialize(document)
}

/// A part of a document.
#[derive(Clone, Copy)]
struct Node<'de> {
    text: &'de str,
}

/// A key of a map.
enum Key {
    Merge,
    Name(String),
}

/// Reads a key.
struct KeyOf<'de>(Node<'de>);

impl Node<'_> {
    /// Whether a text out of the document stands there without quotes and without a tag.
    fn is_plain(self, lent: &str) -> bool {
        let Some(start) = lent.as_ptr().addr().checked_sub(self.text.as_ptr().addr()) else { return false };
        let (Some(before), Some(behind)) = (self.text.get(..start), self.text.get(start + lent.len()..)) else {
            return false;
        };
        let word = before.split_whitespace().rev().find(|word| !word.starts_with('&')).unwrap_or_default();
        !behind.starts_with(['"', '\'']) && !word.starts_with('!') && !word.contains("!!")
    }
}

/// A number that is written in octal digits, as YAML 1.1 marks them: by a zero before.
fn octal(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.strip_prefix('0').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
    i64::from_str_radix(&format!("{sign}{digits}"), 8).ok()
}

/// The maps that `<<` is given, the first before the others.
fn merged<E: Error>(value: Value) -> Result<Vec<Map<String, Value>>, E> {
    let map = |value| match value {
        Value::Object(map) => Ok(map),
        _ => Err(E::custom("`<<` takes a map, or a list of maps")),
    };
    match value {
        Value::Array(items) => items.into_iter().map(map).collect(),
        other => Ok(vec![map(other)?]),
    }
}

impl<'de> DeserializeSeed<'de> for Node<'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'de> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what JSON can say")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value, E> {
        let number = octal(value).filter(|_| self.is_plain(value));
        Ok(number.map_or_else(|| Value::from(value), Value::from))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    /// What stands in the map itself goes before what is merged into it, wherever it stands.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (mut own, mut others) = (Map::new(), Vec::new());
        while let Some(key) = entries.next_key_seed(KeyOf(self))? {
            let value = entries.next_value_seed(self)?;
            match key {
                Key::Name(name) => drop(own.insert(name, value)),
                Key::Merge => others.extend(merged::<A::Error>(value)?),
            }
        }
        for (name, value) in others.into_iter().flatten() {
            own.entry(name).or_insert(value);
        }
        Ok(Value::Object(own))
    }
}

impl<'de> DeserializeSeed<'de> for KeyOf<'de> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyOf<'de> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is text")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(Key::Name(key.to_owned()))
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key, E> {
        Ok(if key == "<<" && self.0.is_plain(key) { Key::Merge } else { Key::Name(key.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize as _;
    use serde_json::{Value, json};
    use serde_yaml_ng::Deserializer;

    use super::value;

    fn read(text: &str) -> Result<Value, String> {
        value(Deserializer::from_str(text), text).map_err(|error| error.to_string())
    }

    /// As `sigs.k8s.io/yaml` 1.6 was seen to do: texts that are quoted, tagged or folded stay texts.
    #[test]
    fn octal_digits_are_a_number_unless_they_are_marked_as_text() {
        let plain = "{a: 0400, b: [0755, 00], c: -0400, d: &mode 0644, e: *mode, f: +017}";
        let wanted = json!({"a": 256, "b": [493, 0], "c": -256, "d": 420, "e": 420, "f": 15});
        assert_eq!(read(plain), Ok(wanted));
        assert_eq!(read("# größer\na: 0400 # so\nb:\n- 0400\n"), Ok(json!({"a": 256, "b": [256]})));
        let text = r#"{a: "0400", b: '0400', c: "\x300400", d: !!str 0400, e: !!str &x 0400, f: &y !!str 0400, g: *x, "h":!!str 0400}"#;
        let four = json!("0400");
        let wanted = json!({"a": four, "b": four, "c": "00400", "d": four, "e": four, "f": four, "g": four, "h": four});
        assert_eq!(read(text), Ok(wanted));
        assert_eq!(read("a: |-\n  0400\nb: >-\n  0400\n"), Ok(json!({"a": "0400", "b": "0400"})));
        assert_eq!(read("0400"), Ok(json!(256)));
        assert_eq!(read("{\"a\":\"0400\",\"b\":0}"), Ok(json!({"a": "0400", "b": 0})));
    }

    #[test]
    fn what_only_looks_octal_stays_text() {
        let text = "[0899, 0.1.2, 0400x, 04 00, 0777777777777777777777777, 0, 0o17, 0x1f, '']";
        let wanted = json!(["0899", "0.1.2", "0400x", "04 00", "0777777777777777777777777", 0, 15, 31, ""]);
        assert_eq!(read(text), Ok(wanted));
        assert_eq!(read("0400: a"), Ok(json!({"0400": "a"})), "keys are texts");
    }

    #[test]
    fn maps_are_merged_and_their_own_keys_go_first() {
        let text = "
base: &base {image: a, tag: 1, deep: {x: 1}}
more: &more {tag: 2, port: 3}
one: {<<: *base, tag: 9}
late: {tag: 9, <<: *base}
two: {<<: [*more, *base]}
chain: {<<: {<<: *base, tag: 7}}
quoted: {\"<<\": *base}
";
        let read = read(text).expect("valid");
        assert_eq!(read["one"], json!({"image": "a", "tag": 9, "deep": {"x": 1}}));
        assert_eq!(read["late"], read["one"]);
        assert_eq!(read["two"], json!({"image": "a", "tag": 2, "deep": {"x": 1}, "port": 3}));
        assert_eq!(read["chain"], json!({"image": "a", "tag": 7, "deep": {"x": 1}}));
        assert_eq!(read["quoted"], json!({"<<": read["base"]}));
    }

    #[test]
    fn only_maps_can_be_merged() {
        for bad in ["<<: 1", "<<: [1]", "<<:", "a: {<<: text}"] {
            let error = read(bad).expect_err(bad);
            assert!(error.contains("`<<` takes a map, or a list of maps"), "{error}");
        }
    }

    proptest! {
        /// Whatever JSON can say is read as any other reader of JSON reads it.
        #[test]
        fn json_is_read_as_json(text in "[a-z0-7\"' \\\\<!&*:]{0,12}", number: i64) {
            let whole = json!({ "a": [text.clone(), number, null, true], text: {"b": "0400"} });
            prop_assert_eq!(read(&whole.to_string()), Ok(whole));
        }

        /// But for the two things that are for us to read, documents say what the library says.
        #[test]
        fn any_text_is_read_as_the_library_does(text in "[a-c0-9\"'\\[\\]{}:,&*!|> \\n-]{0,24}") {
            let theirs = Value::deserialize(Deserializer::from_str(&text)).ok();
            let ours = read(&text).ok();
            if !text.contains('0') {
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
