//! Bindings of the quality room.

mod given;
mod repeated;
mod separated;

pub(crate) use repeated::{
    PyNoiseTest, PySegmentStability, PySelection, PyStability, quality_noise, quality_segments,
    quality_select, quality_stability,
};
pub(crate) use separated::{
    PyComparison, PyShadows, PySilhouettes, quality_compare, quality_shadow, quality_silhouette,
};

/// Columns that were not used, each with the reason.
type Unused = Vec<(String, String)>;

/// What every result can do, and its methods of its own.
macro_rules! result {
    ($class:ident, $name:literal, $core:ty, { $($method:item)* }) => {
        /// A result of the core.
        #[pyclass(frozen, name = $name, module = "ilk._core")]
        pub(crate) struct $class(pub(super) $core);

        #[pymethods]
        impl $class {
            $($method)*

            fn manifest(&self) -> PyResult<String> {
                Ok(self.0.manifest.to_json()?)
            }

            fn to_json(&self, py: Python<'_>) -> PyResult<String> {
                runtime::quick(py, || persist::to_json(&self.0))
            }

            #[staticmethod]
            fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
                runtime::quick(py, || persist::from_json(text)).map(Self)
            }
        }
    };
}
use result;
