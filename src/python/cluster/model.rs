//! What the Python classes of all fitted models share.

/// The Python class of a fitted model: methods of its own, and equality, JSON and pickling by JSON, which all have.
macro_rules! model {
    ($(#[$doc:meta])* $class:ident($model:ty), $name:literal, { $($own:tt)* }) => {
        $(#[$doc])*
        #[::pyo3::pyclass(frozen, eq, name = $name, module = "ilk._core")]
        #[derive(PartialEq)]
        pub(crate) struct $class($model);

        #[::pyo3::pymethods]
        impl $class {
            $($own)*

            fn to_json(&self, py: ::pyo3::Python<'_>) -> ::pyo3::PyResult<String> {
                $crate::python::runtime::quick(py, || $crate::persist::to_json(&self.0))
            }

            #[staticmethod]
            fn from_json(py: ::pyo3::Python<'_>, text: &str) -> ::pyo3::PyResult<Self> {
                $crate::python::runtime::quick(py, || $crate::persist::from_json(text)).map(Self)
            }

            fn __reduce__<'py>(
                slf: &::pyo3::Bound<'py, Self>,
            ) -> ::pyo3::PyResult<(::pyo3::Bound<'py, ::pyo3::PyAny>, (String,))> {
                Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(slf.py())?,)))
            }
        }
    };
}

pub(super) use model;
