//! Bindings: view, detach, call, wrap. No logic lives here, one file per room.

pub(crate) mod cluster;
pub(crate) mod economics;
pub(crate) mod errors;
pub(crate) mod gap;
pub(crate) mod journey;
pub(crate) mod persona;
pub(crate) mod profile;
pub(crate) mod quality;
mod result;
pub(crate) mod runtime;
pub(crate) mod segment;
pub(crate) mod table;

#[pyo3::pymodule(name = "_core")]
mod core_module {
    #[pymodule_export]
    use super::cluster::{
        PyArchetypes, PyDbscan, PyGaussianMixture, PyHdbscan, PyKMeans, PyKMedoids, PyKModes,
        PyKPrototypes, PyLatentClass, gower_distances,
    };
    #[pymodule_export]
    use super::economics::activity::{PyFitAgainstActivity, fit_against_activity};
    #[pymodule_export]
    use super::economics::cohorts::{PyCohorts, cohorts};
    #[pymodule_export]
    use super::economics::concentration::{PyConcentration, concentration};
    #[pymodule_export]
    use super::economics::drift::{PyNeedDrift, need_drift};
    #[pymodule_export]
    use super::economics::effort::{PyEffortIndex, effort_index};
    #[pymodule_export]
    use super::economics::mass::{PyMarketMass, PyMassNeighbours, market_mass, mass_neighbours};
    #[pymodule_export]
    use super::economics::movement::{PyMixRateValue, mix_rate_value};
    #[pymodule_export]
    use super::economics::policy::{PyValueOfSegmentation, value_of_segmentation};
    #[pymodule_export]
    use super::economics::targeting::{PyTargetingValue, targeting_value};
    #[pymodule_export]
    use super::economics::{
        PyHoldout, PyHoldoutReport, PyRepeatBuying, PyRfm, calibration_holdout, rfm_of_orders,
    };
    #[pymodule_export]
    use super::economics::{PyKnockout, PyRanking, PyScorecard, PyTimeToSale, segment_scorecard};
    #[pymodule_export]
    use super::gap::{
        PyContentComparison, PyContentCoverage, PyMessageMatrix, PyWhitespace, content_coverage,
        find_whitespace, message_matrix,
    };
    #[pymodule_export]
    use super::gap::{
        PyFitMatrix, PyGapCube, PyGapMatrix, PyKanoNeeds, PyMap, PyOpportunities, PyTurf,
        PyValueMap, fit_matrix, gap_cube, gap_matrix, map_columns, need_kano, opportunities, reach,
        value_map,
    };
    #[pymodule_export]
    use super::journey::{PyLifePath, follow_stages};
    #[pymodule_export]
    use super::persona::{
        PyPersonas, PyPrevalence, clean_text, conditions_met, count_matches, make_personas,
    };
    #[pymodule_export]
    use super::profile::trees::{
        PyCandidates, PyDistinction, PyRules, PyTypingTool, distinguish_segments, segment_rules,
        segment_typing_tool, segmentations_compare,
    };
    #[pymodule_export]
    use super::profile::{
        PyDescription, PyHomogeneity, PySegmentProfile, describe_segments, profile_segments,
        segment_homogeneity,
    };
    #[pymodule_export]
    use super::quality::{
        PyComparison, PyNoiseTest, PySegmentStability, PySelection, PyShadows, PySilhouettes,
        PyStability, quality_compare, quality_noise, quality_segments, quality_select,
        quality_shadow, quality_silhouette, quality_stability,
    };
    #[cfg(debug_assertions)]
    #[pymodule_export]
    use super::runtime::_panic;
    #[pymodule_export]
    use super::runtime::{num_threads, set_num_threads};
    #[pymodule_export]
    use super::segment::{
        PySegmentDrift, Segmentation, crossed_groups, find_segments, nest_segments, rows_where,
        segment_by_labels, segment_by_rules, segment_by_scores, variance_inflation,
        weighted_quantile,
    };
    #[pymodule_export]
    use super::table::{PyTable, missing_column_message};

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Whether this is a build with debug assertions.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const debug_build: bool = cfg!(debug_assertions);
}
