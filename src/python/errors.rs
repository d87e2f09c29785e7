//! The one way from the core's errors to Python's exceptions.

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::Error;

/// The exception tree is Python's (`ilk.exceptions`), since its classes have two bases each.
static EXCEPTIONS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// An exception of `ilk.exceptions` by name.
pub(crate) fn exception(name: &str, message: String) -> PyErr {
    Python::attach(|py| {
        let made = EXCEPTIONS
            .get_or_try_init(py, || py.import("ilk.exceptions").map(Bound::unbind))
            .and_then(|module| module.bind(py).getattr(name))
            .and_then(|class| class.call1((message.as_str(),)));
        match made {
            Ok(value) => PyErr::from_value(value),
            Err(_) => PyRuntimeError::new_err(message),
        }
    })
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::MissingColumn { .. } => exception("MissingColumnError", message),
            Error::ColumnType { .. } => PyTypeError::new_err(message),
            Error::MemoryLimit { .. } => exception("MemoryLimitError", message),
            Error::ModelFile { .. } => exception("ModelFileError", message),
            Error::Interrupted => PyKeyboardInterrupt::new_err(message),
            Error::BadValue { .. }
            | Error::Argument { .. }
            | Error::TooFewRows { .. }
            | Error::Linfa(_) => exception("DataError", message),
        }
    }
}
