//! The door in: Arrow streams and NumPy arrays become a [`Table`]; result tables go back as Arrow streams or NumPy.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Int32Array, LargeStringArray, PrimitiveArray,
    RecordBatch, StringArray,
};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_stream_pycapsule};
use pyo3_arrow::{PyArray, PyRecordBatchReader};

use super::errors::exception;
use super::runtime;
use crate::table::Table;

/// Named columns in Arrow form.
#[pyclass(frozen, name = "Table", module = "ilk._core")]
pub(crate) struct PyTable(pub(crate) Table);

/// One column from NumPy or a list, in the form that its kind needs.
#[derive(FromPyObject)]
pub(crate) enum Column<'py> {
    Category(PyReadonlyArray1<'py, i32>, Vec<String>, bool),
    Boolean(PyReadonlyArray1<'py, bool>),
    Number(PyArray),
    Text(Vec<Option<String>>),
}

#[pymethods]
impl PyTable {
    /// From an object with `__arrow_c_stream__`; column data is shared, not copied.
    #[staticmethod]
    fn from_stream(py: Python<'_>, stream: PyRecordBatchReader) -> PyResult<Self> {
        let reader = stream.into_reader()?;
        let schema = reader.schema();
        let batches = py
            .detach(|| reader.collect::<Result<Vec<RecordBatch>, ArrowError>>())
            .map_err(|error| exception("DataError", error.to_string()))?;
        Ok(Self(Table::try_new(schema, batches)?))
    }

    /// From columns: contiguous numeric arrays (shared, not copied), booleans, lists of text, or codes with categories
    /// and whether they are ordered. Columns in `moments` are microseconds since 1970.
    #[staticmethod]
    fn from_columns(columns: Vec<(String, Column<'_>)>, moments: Vec<String>) -> PyResult<Self> {
        let columns = columns
            .into_iter()
            .map(|(name, column)| {
                let is_moment = moments.contains(&name);
                arrow_column(&name, column, is_moment)
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
                let texts: Vec<Option<String>> = array
                    .as_string_opt::<i32>()
                    .map(|texts| texts.iter().map(|text| text.map(str::to_string)).collect())
                    .unwrap_or_default();
                texts.into_bound_py_any(py)
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

fn arrow_column(name: &str, column: Column<'_>, is_moment: bool) -> PyResult<(Field, ArrayRef)> {
    let array: ArrayRef = match column {
        Column::Number(array) if is_moment => {
            let (array, _) = array.into_inner();
            let moments = array
                .as_primitive::<Int64Type>()
                .reinterpret_cast::<arrow_array::types::TimestampMicrosecondType>();
            // NumPy's missing moment is the smallest integer.
            Arc::new(
                moments
                    .iter()
                    .map(|moment| moment.filter(|&value| value != i64::MIN))
                    .collect::<PrimitiveArray<arrow_array::types::TimestampMicrosecondType>>(),
            )
        }
        Column::Number(array) => array.into_inner().0,
        Column::Boolean(values) => {
            Arc::new(BooleanArray::from(values.as_array().iter().copied().collect::<Vec<_>>()))
        }
        Column::Text(values) => Arc::new(LargeStringArray::from(values)),
        Column::Category(codes, categories, ordered) => {
            let keys: Int32Array =
                codes.as_array().iter().map(|&code| (code >= 0).then_some(code)).collect();
            let values = Arc::new(StringArray::from(categories));
            let array = DictionaryArray::<Int32Type>::try_new(keys, values)
                .map_err(|error| exception("DataError", format!("column {name:?}: {error}")))?;
            let field =
                Field::new(name, array.data_type().clone(), true).with_dict_is_ordered(ordered);
            return Ok((field, Arc::new(array)));
        }
    };
    debug_assert!(
        !is_moment || array.data_type() == &DataType::Timestamp(TimeUnit::Microsecond, None)
    );
    Ok((Field::new(name, array.data_type().clone(), true), array))
}
