//! What the bindings of every result share.

/// What every result can do, and its methods of its own.
macro_rules! result {
    ($class:ident, $name:literal, $core:ty, { $($method:item)* }) => {
        /// A result of the core.
        #[::pyo3::pyclass(frozen, name = $name, module = "ilk._core")]
        pub(crate) struct $class(pub(super) $core);

        #[::pyo3::pymethods]
        impl $class {
            $($method)*

            fn manifest(&self) -> ::pyo3::PyResult<String> {
                Ok(self.0.manifest.to_json()?)
            }

            fn to_json(&self, py: ::pyo3::Python<'_>) -> ::pyo3::PyResult<String> {
                $crate::python::runtime::quick(py, || $crate::persist::to_json(&self.0))
            }

            #[staticmethod]
            fn from_json(py: ::pyo3::Python<'_>, text: &str) -> ::pyo3::PyResult<Self> {
                $crate::python::runtime::quick(py, || $crate::persist::from_json(text)).map(Self)
            }
        }
    };
}
pub(super) use result;
