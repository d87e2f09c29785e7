//! The answers to both questions, as numbers or as text.

use crate::error::{Error, Result};
use crate::parallel;
use crate::table::{Kind, Table};

/// The five answers from "I like it" to "I dislike it", as they stand in the columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// As numbers.
    Numbers([f64; 5]),
    /// As text.
    Words([String; 5]),
}

/// Stands for a missing answer.
pub(super) const NONE: u8 = 5;

/// Stands for an answer that is none of the five.
const UNKNOWN: u8 = 6;

impl Answers {
    /// The answer of each row, from 0 to 4; [`NONE`] where it is missing.
    pub(super) fn read(&self, table: &Table, name: &str) -> Result<Vec<u8>> {
        match self {
            Self::Numbers(numbers) => {
                let kind = table.kind(name)?;
                if kind == Kind::Empty {
                    return Ok(vec![NONE; table.n_rows()]);
                }
                let values = match table.numeric(name) {
                    Ok(values) if kind != Kind::Boolean => values,
                    Err(error) if !matches!(kind, Kind::Nominal | Kind::Ordinal) => {
                        return Err(error);
                    }
                    _ => {
                        let what = if kind == Kind::Boolean { "true and false" } else { "text" };
                        let found = format!("numbers, while {name:?} holds {what}");
                        let wanted = "the five answers as they stand in the columns are needed, from like to dislike";
                        return Err(Error::argument("answers", found, wanted).with_mend(
                            "answers=(\"like\", \"expect\", \"neutral\", \"live with\", \"dislike\")",
                        ));
                    }
                };
                let place = |row: usize| match values[row] {
                    value if value.is_nan() => NONE,
                    value => place_of(numbers, |&number| number == value),
                };
                places(values.len(), place).map_err(|row| {
                    let answers = numbers.each_ref().map(f64::to_string);
                    unknown(name, row, values[row].to_string(), &answers)
                })
            }
            Self::Words(words) => {
                let codes = table.codes(name)?;
                let categories = &codes.categories;
                let known: Vec<u8> = categories
                    .iter()
                    .map(|category| place_of(words, |word| word == category))
                    .collect();
                let place =
                    |row: usize| known.get(codes.codes[row] as usize).copied().unwrap_or(NONE);
                places(codes.codes.len(), place).map_err(|row| {
                    let answers = words.each_ref().map(|word| format!("{word:?}"));
                    let found = format!("{:?}", categories[codes.codes[row] as usize]);
                    unknown(name, row, found, &answers)
                })
            }
        }
    }
}

/// Which of the five it is.
fn place_of<T>(answers: &[T; 5], is_it: impl Fn(&T) -> bool) -> u8 {
    answers.iter().zip(0..).find(|(answer, _)| is_it(answer)).map_or(UNKNOWN, |(_, place)| place)
}

/// The answer of each row, or the first row whose answer is none of the five.
fn places(n: usize, place: impl Fn(usize) -> u8 + Sync + Send) -> Result<Vec<u8>, usize> {
    let mut all = vec![0; n];
    parallel::fill_blocks(&mut all, |first, block| {
        (first..).zip(block).for_each(|(row, slot)| *slot = place(row));
    });
    match all.iter().position(|&place| place == UNKNOWN) {
        Some(row) => Err(row),
        None => Ok(all),
    }
}

/// What is said of an answer that is none of the five.
fn unknown(name: &str, row: usize, found: String, answers: &[String; 5]) -> Error {
    let wanted = format!("answers are {}, from like to dislike", answers.join(", "));
    Error::value(name, row, found, wanted)
}
