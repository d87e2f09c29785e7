//! The door in: Arrow streams and NumPy arrays become a [`Table`]; result tables go back as Arrow streams or NumPy.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int32Array, LargeStringArray, RecordBatch,
    make_array, new_empty_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field};
use numpy::{IntoPyArray, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_stream_pycapsule};
use pyo3_arrow::{PyArray, PyChunkedArray, PyRecordBatchReader};

use super::errors::exception;
use super::runtime;
use crate::table::Table;

/// Named columns in Arrow form.
#[pyclass(frozen, name = "Table", module = "ilk._core")]
pub(crate) struct PyTable(pub(crate) Table);

/// One column from Python, in the form that its kind needs.
#[derive(FromPyObject)]
enum Column<'py> {
    /// Codes (-1 is missing), a column of categories, and whether they are ordered.
    Category(PyReadonlyArray1<'py, i32>, Bound<'py, PyAny>, bool),
    /// Values, where they are missing, and what they are: number, date (days), moment (microseconds).
    Values(Bound<'py, PyAny>, PyReadonlyArray1<'py, bool>, String),
    Boolean(PyReadonlyArray1<'py, bool>),
    Array(PyArray),
    Stream(PyChunkedArray),
    Text(Vec<Option<String>>),
}

#[pymethods]
impl PyTable {
    /// From an object with `__arrow_c_stream__`; column data is shared, not copied.
    ///
    /// Columns named in `categories` hold codes of these, which have no order.
    #[staticmethod]
    #[pyo3(signature = (stream, categories=None))]
    fn from_stream(
        py: Python<'_>,
        stream: &Bound<'_, PyAny>,
        categories: Option<HashMap<String, Vec<String>>>,
    ) -> PyResult<Self> {
        let refuse = |error: String| exception("DataError", format!("Arrow stream: {error}"));
        let reader: PyRecordBatchReader = stream.extract().map_err(|error: PyErr| {
            if error.is_instance_of::<PyValueError>(py) {
                refuse(error.value(py).to_string())
            } else {
                error
            }
        })?;
        let reader = reader.into_reader()?;
        let schema = reader.schema();
        let batches = py
            .detach(|| reader.collect::<Result<Vec<RecordBatch>, ArrowError>>())
            .map_err(|error| refuse(error.to_string()))?;
        let table = Table::try_new(schema, batches)?;
        let categories = categories.unwrap_or_default();
        Ok(Self(py.detach(|| table.with_categories(&categories))?))
    }

    /// From columns: contiguous numeric arrays and Arrow arrays (shared, not copied), booleans, lists of text, or tuples
    /// of (values, where they are missing, what they are) or (codes, categories, whether they are ordered).
    #[staticmethod]
    fn from_columns(columns: Vec<(String, Bound<'_, PyAny>)>) -> PyResult<Self> {
        let columns = columns
            .into_iter()
            .map(|(name, column)| {
                let (field, array) = arrow_column(&name, &column)?;
                Ok((field.with_name(name), array))
            })
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Self(Table::from_columns(columns)?))
    }

    /// Names of the columns.
    fn names(&self) -> Vec<&str> {
        self.0.names()
    }

    /// What a column holds: number, boolean, date, nominal, ordinal, empty or other.
    fn kind(&self, name: &str) -> PyResult<&'static str> {
        Ok(self.0.kind(name)?.name())
    }

    /// Number of rows.
    fn __len__(&self) -> usize {
        self.0.n_rows()
    }

    /// The column as numbers; missing values are NaN.
    fn numeric<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let values = runtime::quick(py, || self.0.numeric(name))?;
        values.to_vec().into_pyarray(py).into_bound_py_any(py)
    }

    /// The column as days since 1970-01-01; missing values are NaN.
    fn days<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let values = runtime::quick(py, || self.0.days(name))?;
        values.to_vec().into_pyarray(py).into_bound_py_any(py)
    }

    /// The column as (codes, categories, ordered); a missing value has code -1.
    fn codes<'py>(
        &self,
        py: Python<'py>,
        name: &str,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<String>, bool)> {
        let read = runtime::quick(py, || self.0.codes(name))?;
        let codes: Vec<i64> = read.codes.iter().map(|&code| i64::from(code as i32)).collect();
        Ok((codes.into_pyarray(py).into_bound_py_any(py)?, read.categories, read.ordered))
    }

    /// A column of a result table as Python sees it: an array, or a list of text.
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let index = self.0.names().iter().position(|other| *other == name);
        let (Some(index), [batch]) = (index, self.0.batches()) else {
            return Err(crate::table::missing_column(name, &self.0.names()).into());
        };
        let array = batch.column(index);
        match array.data_type() {
            DataType::Float64 => {
                let array = array.as_primitive::<Float64Type>();
                let values: Vec<f64> = array.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
                values.into_pyarray(py).into_bound_py_any(py)
            }
            // NumPy's integers cannot be missing.
            DataType::Int64 if array.null_count() > 0 => {
                let array = array.as_primitive::<Int64Type>();
                let values: Vec<f64> =
                    array.iter().map(|v| v.map_or(f64::NAN, |v| v as f64)).collect();
                values.into_pyarray(py).into_bound_py_any(py)
            }
            DataType::Int64 => array
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
                .into_pyarray(py)
                .into_bound_py_any(py),
            DataType::Boolean => array
                .as_boolean()
                .values()
                .iter()
                .collect::<Vec<bool>>()
                .into_pyarray(py)
                .into_bound_py_any(py),
            _ => {
                fn owned<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Vec<Option<String>> {
                    texts.map(|text| text.map(str::to_string)).collect()
                }
                let texts = (array.as_string_opt::<i32>().map(|texts| owned(texts.iter())))
                    .or_else(|| array.as_string_opt::<i64>().map(|texts| owned(texts.iter())));
                let refuse =
                    || exception("InternalError", format!("column {name:?} has no values"));
                texts.ok_or_else(refuse)?.into_bound_py_any(py)
            }
        }
    }

    /// The Arrow stream interface: polars, pyarrow, pandas and DuckDB read it without copying.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let field = Field::new_struct("", self.0.schema().fields().clone(), false);
        let arrays: Vec<_> = self
            .0
            .batches()
            .iter()
            .map(|batch| Ok(Arc::new(arrow_array::StructArray::from(batch.clone())) as ArrayRef))
            .collect();
        let stream = Box::new(ArrayIterator::new(arrays, Arc::new(field)));
        Ok(to_stream_pycapsule(py, stream, requested_schema)?)
    }
}

/// The message for a column that is not there.
#[pyfunction]
pub(crate) fn missing_column_message(name: &str, names: Vec<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    crate::table::missing_column(name, &names).to_string()
}

fn arrow_column(name: &str, column: &Bound<'_, PyAny>) -> PyResult<(Field, ArrayRef)> {
    let refuse =
        |error: &dyn fmt::Display| exception("DataError", format!("column {name:?}: {error}"));
    let column: Column<'_> = column
        .extract()
        .map_err(|error: PyErr| PyTypeError::new_err(format!("column {name:?}: {error}")))?;
    let array: ArrayRef = match column {
        Column::Array(array) => {
            let (array, field) = array.into_inner();
            return Ok((field.as_ref().clone(), array));
        }
        Column::Stream(chunks) => {
            let (chunks, field) = chunks.into_inner();
            let array = match chunks.as_slice() {
                [] => new_empty_array(field.data_type()),
                [array] => Arc::clone(array),
                _ => return Err(refuse(&"found several chunks, but one is needed")),
            };
            return Ok((field.as_ref().clone(), array));
        }
        Column::Boolean(values) => {
            Arc::new(BooleanArray::from(values.as_array().iter().copied().collect::<Vec<_>>()))
        }
        Column::Text(values) => Arc::new(LargeStringArray::from(values)),
        Column::Values(values, missing, kind) => {
            let (_, array) = arrow_column(name, &values)?;
            let array: ArrayRef = match (kind.as_str(), array.data_type()) {
                ("date", DataType::Int32) => {
                    Arc::new(array.as_primitive::<Int32Type>().reinterpret_cast::<Date32Type>())
                }
                ("moment", DataType::Int64) => Arc::new(
                    array
                        .as_primitive::<Int64Type>()
                        .reinterpret_cast::<TimestampMicrosecondType>(),
                ),
                _ => array,
            };
            if missing.len() != array.len() {
                return Err(refuse(&"values and missing marks differ in number"));
            }
            let valid: NullBuffer = missing.as_array().iter().map(|missing| !missing).collect();
            let data = array.to_data().into_builder().nulls(Some(valid)).build();
            make_array(data.map_err(|error| refuse(&error))?)
        }
        Column::Category(codes, categories, ordered) => {
            let keys: Int32Array =
                codes.as_array().iter().map(|&code| (code >= 0).then_some(code)).collect();
            let (_, values) = arrow_column(name, &categories)?;
            let array = DictionaryArray::<Int32Type>::try_new(keys, values)
                .map_err(|error| refuse(&error))?;
            let field =
                Field::new(name, array.data_type().clone(), true).with_dict_is_ordered(ordered);
            return Ok((field, Arc::new(array)));
        }
    };
    Ok((Field::new(name, array.data_type().clone(), true), array))
}
