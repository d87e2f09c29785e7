//! Saving and loading: every model and result is JSON in one envelope, written and read by serde.
//!
//! A saved file is data, never code. Reading checks size, kind and version before it parses the content, and the content
//! checks its own shapes ([`Persist::validate`]) before anything uses them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Version of the envelope and of every schema in it.
pub const SCHEMA_VERSION: u32 = 1;

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 30;

/// Something that can be saved.
pub trait Persist: Serialize + DeserializeOwned {
    /// Name of the kind in the envelope: "gap_matrix".
    const KIND: &'static str;

    /// Checks what the types do not: equal lengths, finite numbers, codes within range.
    ///
    /// # Errors
    ///
    /// [`Error::ModelFile`] with the reason.
    fn validate(&self) -> Result<()>;
}

#[derive(Serialize)]
struct Out<'a, T> {
    schema: &'static str,
    schema_version: u32,
    kind: &'static str,
    ilk_version: &'static str,
    content: &'a T,
}

#[derive(Deserialize)]
struct Head {
    schema: String,
    schema_version: u32,
    kind: String,
}

#[derive(Deserialize)]
struct Content<T> {
    content: T,
}

/// Writes `value` as JSON; floats are the shortest text that reads back to the same bits.
///
/// # Errors
///
/// [`Error::ModelFile`] if serde cannot write it (a bug).
pub fn to_json<T: Persist>(value: &T) -> Result<String> {
    let out = Out {
        schema: "ilk",
        schema_version: SCHEMA_VERSION,
        kind: T::KIND,
        ilk_version: env!("CARGO_PKG_VERSION"),
        content: value,
    };
    serde_json::to_string(&out).map_err(|error| broken(error.to_string()))
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
///
/// [`Error::ModelFile`] if the text is too large, is not JSON, is of another kind or of a newer version, or does not
/// pass [`Persist::validate`].
pub fn from_json<T: Persist>(text: &str) -> Result<T> {
    if text.len() > MAX_BYTES {
        return Err(broken(format!("{} bytes, and at most {MAX_BYTES} are read", text.len())));
    }
    let head: Head = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
    if head.schema != "ilk" {
        return Err(broken(format!("schema is {:?}, not \"ilk\"", head.schema)));
    }
    if head.schema_version > SCHEMA_VERSION {
        return Err(broken(format!(
            "schema_version {} is newer than {SCHEMA_VERSION}, the newest that this ilk reads; upgrade ilk",
            head.schema_version
        )));
    }
    if head.kind != T::KIND {
        return Err(broken(format!("it holds a {:?}, not a {:?}", head.kind, T::KIND)));
    }
    let value: Content<T> =
        serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
    value.content.validate()?;
    Ok(value.content)
}

/// [`Error::ModelFile`] with a reason.
pub fn broken(reason: impl Into<String>) -> Error {
    Error::ModelFile { reason: reason.into() }
}

/// Figures of which some may be missing, which are NaN. A missing figure equals another missing one, so that what was saved
/// and read again equals what it was; they are saved as [`floats`] are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figures(#[serde(with = "floats")] pub Vec<f64>);

impl PartialEq for Figures {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
        self.len() == other.len() && self.iter().zip(other.iter()).all(same)
    }
}

impl std::ops::Deref for Figures {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0
    }
}

/// Floats that may be missing or infinite, which JSON numbers cannot be: NaN is `null`, infinities are text.
///
/// For `#[serde(with = "persist::floats")]` on a `Vec<f64>`.
pub mod floats {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Float {
        Number(f64),
        Text(Infinity),
        Missing(()),
    }

    #[derive(Serialize, Deserialize)]
    enum Infinity {
        #[serde(rename = "Infinity")]
        Positive,
        #[serde(rename = "-Infinity")]
        Negative,
    }

    /// Writes the vector.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|&value| {
            if value.is_nan() {
                Float::Missing(())
            } else if value == f64::INFINITY {
                Float::Text(Infinity::Positive)
            } else if value == f64::NEG_INFINITY {
                Float::Text(Infinity::Negative)
            } else {
                Float::Number(value)
            }
        }))
    }

    /// Reads the vector.
    ///
    /// # Errors
    ///
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Float>::deserialize(deserializer)?;
        Ok(values
            .into_iter()
            .map(|value| match value {
                Float::Number(value) => value,
                Float::Text(Infinity::Positive) => f64::INFINITY,
                Float::Text(Infinity::Negative) => f64::NEG_INFINITY,
                Float::Missing(()) => f64::NAN,
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair {
        #[serde(with = "floats")]
        values: Vec<f64>,
    }

    impl Persist for Pair {
        const KIND: &'static str = "pair";
        fn validate(&self) -> Result<()> {
            if self.values.len() == 3 { Ok(()) } else { Err(broken("not three values")) }
        }
    }

    #[test]
    fn floats_come_back_to_the_last_bit() {
        let pair = Pair { values: vec![0.1 + 0.2, f64::INFINITY, f64::NEG_INFINITY] };
        assert_eq!(from_json::<Pair>(&to_json(&pair).unwrap()).unwrap(), pair);
        let missing = Pair { values: vec![f64::NAN, -0.0, 5e-324] };
        let back: Pair = from_json(&to_json(&missing).unwrap()).unwrap();
        assert!(back.values[0].is_nan());
        assert_eq!(back.values[2], 5e-324);
    }

    #[test]
    fn figures_are_equal_where_both_are_missing_and_nowhere_else() {
        let figures = |values: &[f64]| Figures(values.to_vec());
        assert_eq!(figures(&[1.0, f64::NAN]), figures(&[1.0, -f64::NAN]));
        for other in [&[1.0, 2.0][..], &[f64::NAN, f64::NAN], &[1.0], &[1.0, f64::NAN, 3.0]] {
            assert_ne!(figures(&[1.0, f64::NAN]), figures(other));
        }
        let text = serde_json::to_string(&figures(&[1.0, f64::NAN])).unwrap();
        assert_eq!(text, "[1.0,null]");
        assert_eq!(serde_json::from_str::<Figures>(&text).unwrap(), figures(&[1.0, f64::NAN]));
    }

    #[test]
    fn hostile_files_are_refused() {
        let good = to_json(&Pair { values: vec![1.0; 3] }).unwrap();
        for bad in [
            String::new(),
            "[".repeat(100_000),
            good.replace("\"pair\"", "\"other\""),
            good.replace("\"schema_version\":1", "\"schema_version\":99"),
            good.replace("[1.0,1.0,1.0]", "[1.0]"),
            good[..good.len() - 4].to_string(),
        ] {
            assert!(matches!(from_json::<Pair>(&bad), Err(Error::ModelFile { .. })), "{bad:.40}");
        }
    }
}
