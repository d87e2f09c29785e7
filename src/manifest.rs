//! What a result was made from: settings, seed, and the rows used and left out.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Carried by every result, saved with it, and shown to the user as `.manifest`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The public function that made the result.
    pub function: String,
    /// Version of ilk that made it.
    pub ilk_version: String,
    /// The arguments, by the names the user typed.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Seed of everything random; `None` where nothing was.
    pub random_state: Option<u64>,
    /// Rows that came in.
    pub rows: usize,
    /// Rows that the figures rest on.
    pub rows_used: usize,
    /// Why rows were left out, and how many.
    pub left_out: Vec<LeftOut>,
    /// Findings that did not stop the work, as sentences.
    pub notes: Vec<String>,
}

/// Rows left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The reason, as a clause: `"segment" is missing`.
    pub reason: String,
    /// How many rows.
    pub rows: usize,
}

impl Manifest {
    /// A manifest of a function that uses every one of `rows` rows.
    pub fn new(
        function: &str,
        settings: serde_json::Map<String, serde_json::Value>,
        random_state: Option<u64>,
        rows: usize,
    ) -> Self {
        Self {
            function: function.to_string(),
            ilk_version: env!("CARGO_PKG_VERSION").to_string(),
            settings,
            random_state,
            rows,
            rows_used: rows,
            left_out: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The manifest as JSON.
    ///
    /// # Errors
    ///
    /// [`crate::Error::ModelFile`] if serde cannot write it (a bug).
    pub fn to_json(&self) -> crate::Result<String> {
        serde_json::to_string(self).map_err(|error| crate::persist::broken(error.to_string()))
    }

    /// The refusal where none of the `rows` of this argument is used: how many there were, and why they were left out.
    pub fn nothing_left(&self, argument: &str, rows: usize) -> Error {
        let reasons: Vec<&str> = self.left_out.iter().map(|left| left.reason.as_str()).collect();
        let found = match reasons.is_empty() {
            true => "no rows".to_string(),
            false => format!("{rows} rows, all left out: {}", reasons.join(", ")),
        };
        Error::argument(argument, found, "at least one complete row is needed")
    }

    /// Records rows that are not used; nothing where there are none.
    pub fn leave_out(&mut self, reason: impl Into<String>, rows: usize) {
        if rows > 0 {
            self.rows_used = self.rows_used.saturating_sub(rows);
            self.left_out.push(LeftOut { reason: reason.into(), rows });
        }
    }
}
