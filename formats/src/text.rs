//! Types that are written as a text of a certain form.

/// Gives a tuple struct over one `String` its `as_str`, `Display`, and the conversions that serde needs with
/// `#[serde(try_from = "String", into = "String")]`. What the text must look like is said once, in its `FromStr`.
#[macro_export]
macro_rules! text_type {
    ($type:ident) => {
        impl $type {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl ::std::convert::TryFrom<String> for $type {
            type Error = <Self as ::std::str::FromStr>::Err;

            fn try_from(text: String) -> ::std::result::Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl ::std::convert::From<$type> for String {
            fn from(text: $type) -> Self {
                text.0
            }
        }
    };
}

/// The conversions that serde needs with `#[serde(try_from = "String", into = "String")]`, for a type that has `FromStr` and
/// `Display`.
#[macro_export]
macro_rules! text_form {
    ($type:ident) => {
        impl ::std::convert::TryFrom<String> for $type {
            type Error = <Self as ::std::str::FromStr>::Err;

            fn try_from(text: String) -> ::std::result::Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl ::std::convert::From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}
