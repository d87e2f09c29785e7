//! k-prototypes: rows of numbers, ranks and categories, with values missing.

use linfa::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::gamma::{self, Gamma};
use super::kmeans::linfa_weights;
use super::lloyd::Ending;
use super::mixed::{Attribute, Columns, Mixed};
use super::mixed_lloyd::{MixedLloyd, Prototypes, Space};
use super::mixed_start::{cao, huang};
use super::rows::check_weights;
use super::start::{Points, Pool};
use crate::error::{Error, Result};
use crate::parallel::{self, BLOCK, Monitor};
use crate::persist::{Persist, broken};
use crate::rng::{Rng, Stage};
use crate::table::Table;

/// Where the iterations start.
#[derive(Debug, Clone, PartialEq)]
pub enum MixedStart {
    /// Rows drawn by greedy k-means++ on the mixed cost, by weight.
    PlusPlus,
    /// Rows like modes drawn by frequency.
    Huang,
    /// Rows of high density that differ: not random. Later restarts take the numbers of other rows.
    Cao,
    /// Different rows drawn by weight.
    Random,
    /// These centres `(n_clusters, n_numeric)` and modes `(n_clusters, n_categorical)`; their order stays.
    Given(Array2<f64>, Array2<u32>),
}

/// What to fit: the parameters of k-prototypes.
#[derive(Debug, Clone, PartialEq)]
pub struct KPrototypes {
    /// Number of clusters.
    pub n_clusters: usize,
    /// What a category that is not the mode costs.
    pub gamma: Gamma,
    /// Where the iterations start.
    pub start: MixedStart,
    /// Number of starts; the best result is kept. One where the starting prototypes are given.
    pub n_init: usize,
    /// Iterations at most.
    pub max_iter: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Which columns hold category codes, where the data is one array of numbers (linfa's traits).
    pub categorical: Vec<usize>,
}

impl KPrototypes {
    /// `n_clusters` clusters, gamma by Huang's rule, best of ten k-means++ starts.
    pub fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            gamma: Gamma::Auto,
            start: MixedStart::PlusPlus,
            n_init: 10,
            max_iter: 300,
            seed: 0,
            categorical: Vec::new(),
        }
    }

    /// Fits the model.
    ///
    /// The objective is that of Huang (1998), Extensions to the k-means algorithm for clustering large data sets with
    /// categorical values: squared differences of numbers, and gamma for a category that is not the mode. An ordinal column
    /// counts by ranks scaled to [0, 1], whose squared differences are multiplied by the column's gamma, so that the ends of the
    /// scale are as far apart as two categories. The objective is summed over the values that are observed: a missing value contributes nothing (the partial
    /// distance of Dixon 1979, Pattern recognition with partly missing data, without rescaling), so that every step lowers
    /// the objective.
    ///
    /// Of up to 4,096 rows of categories alone, single rows move too once assigning all of them helps no more: there several
    /// categories are often equally frequent, and the mode is but one of them.
    ///
    /// The result is the same to the last bit for any number of threads. Time is proportional to rows, columns, clusters and
    /// iterations.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for parameters or weights out of range and for a column without any value;
    /// [`Error::TooFewRows`] for fewer rows than clusters; [`Error::Interrupted`].
    pub fn fit(
        &self,
        data: &Mixed,
        weights: Option<&[f64]>,
        monitor: &Monitor,
    ) -> Result<KPrototypesModel> {
        self.check(data)?;
        let n = data.n_rows();
        check_weights(weights, n)?;
        let space = Space::new(data, weights, &self.gamma, self.n_clusters)?;
        let same = match &self.start {
            MixedStart::Given(..) => true,
            // Cao's rows are the same in every start, and there are no numbers to take from others.
            MixedStart::Cao => data.d() == 0,
            _ => false,
        };
        let n_init = if same { 1 } else { self.n_init };
        monitor.expect((n_init * self.max_iter) as u64);
        let pool = Pool::new(&space);
        let run = |task| {
            let mut lloyd = MixedLloyd::new(&space, self.n_clusters);
            let ending = self.restart(&space, &pool, &mut lloyd, task, monitor)?;
            Ok(self.model(&space, lloyd, ending))
        };
        let better = |best: KPrototypesModel, next: KPrototypesModel| {
            if next.cost < best.cost { next } else { best }
        };
        // Restarts of small data run side by side; those of large data one after the other, for the memory of one.
        let best = if n <= SMALL {
            let models =
                parallel::map_tasks(n_init, run).into_iter().collect::<Result<Vec<_>>>()?;
            models.into_iter().reduce(better)
        } else {
            let mut best = None;
            for task in 0..n_init {
                let next = run(task)?;
                best = Some(match best {
                    Some(best) => better(best, next),
                    None => next,
                });
            }
            best
        };
        best.ok_or_else(|| Error::argument("n_init", 0, "at least 1 is needed"))
    }

    fn check(&self, data: &Mixed) -> Result<()> {
        for (name, value) in
            [("n_clusters", self.n_clusters), ("n_init", self.n_init), ("max_iter", self.max_iter)]
        {
            if value == 0 {
                return Err(Error::argument(name, 0, "at least 1 is needed"));
            }
        }
        let (k, n) = (self.n_clusters, data.n_rows());
        if n < k {
            return Err(Error::TooFewRows {
                what: format!("n_clusters={k}"),
                needed: k,
                found: n,
                mend: (n > 0).then(|| format!("n_clusters={n}")),
            });
        }
        let MixedStart::Given(centres, modes) = &self.start else { return Ok(()) };
        if centres.dim() != (k, data.d()) || modes.dim() != (k, data.m()) {
            return Err(Error::argument(
                "init",
                format!("centres {:?} and modes {:?}", centres.dim(), modes.dim()),
                format!("({k}, {}) and ({k}, {}) are needed", data.d(), data.m()),
            ));
        }
        let limit = (f64::MAX * 1e-8 / (4.0 * data.d().max(1) as f64 * n as f64)).sqrt();
        if let Some(value) = centres.iter().find(|value| value.is_nan() || value.abs() > limit) {
            return Err(Error::argument("init", value, "finite numbers are needed"));
        }
        let n_categories = data.columns().n_categories();
        for ((_, column), &mode) in modes.indexed_iter() {
            if mode >= n_categories[column] {
                let wanted = format!("a code below {} is needed", n_categories[column]);
                return Err(Error::argument("init", format!("mode {mode}"), wanted));
            }
        }
        Ok(())
    }

    /// Runs one start to its end.
    fn restart(
        &self,
        space: &Space<'_>,
        pool: &Pool<'_, Space<'_>>,
        lloyd: &mut MixedLloyd<'_>,
        task: usize,
        monitor: &Monitor,
    ) -> Result<Ending> {
        let k = self.n_clusters;
        let mut rng = Rng::stream(self.seed, Stage::Start, task as u64);
        let categorical = space.data.m() > 0;
        let start = match &self.start {
            MixedStart::Given(centres, modes) => Prototypes {
                centres: centres.iter().copied().collect(),
                modes: modes.iter().copied().collect(),
            },
            MixedStart::Random => space.prototypes(&pool.random_rows(k, &mut rng)),
            MixedStart::Huang if categorical => {
                space.prototypes(&huang(space, &pool.rows(), k, &mut rng, monitor)?)
            }
            MixedStart::Cao if categorical => {
                let mut start = space.prototypes(&cao(space, &pool.rows(), k, monitor)?);
                if task > 0 {
                    start.centres = space.prototypes(&pool.random_rows(k, &mut rng)).centres;
                }
                start
            }
            _ => space.prototypes(&pool.plus_plus(k, &mut rng, monitor)?),
        };
        let keep_order = matches!(self.start, MixedStart::Given(..));
        // Equally frequent categories are common in small data alone.
        let different: Option<Vec<(usize, f64)>> = (space.data.d() == 0 && space.n() <= BLOCK)
            .then(|| {
                pool.rows().into_iter().zip((0..pool.n()).map(|at| pool.weight(at))).collect()
            });
        lloyd.run(start, self.max_iter, keep_order, different.as_deref(), monitor)
    }

    fn model(&self, space: &Space<'_>, lloyd: MixedLloyd<'_>, ending: Ending) -> KPrototypesModel {
        KPrototypesModel {
            n_clusters: self.n_clusters,
            columns: space.data.columns().clone(),
            gamma: space.gamma.clone(),
            centres: lloyd.prototypes.centres,
            modes: lloyd.prototypes.modes,
            weights: lloyd.sums.weights,
            labels: lloyd.labels,
            cost: lloyd.sums.cost,
            n_iter: ending.n_iter,
            converged: ending.converged,
            categorical: self.categorical.clone(),
        }
    }
}

/// Rows up to which restarts run side by side, each with labels of its own.
const SMALL: usize = 1 << 17;

/// A fitted k-prototypes model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KPrototypesModel {
    n_clusters: usize,
    columns: Columns,
    gamma: Vec<f64>,
    centres: Vec<f64>,
    modes: Vec<u32>,
    weights: Vec<f64>,
    labels: Vec<u32>,
    cost: f64,
    n_iter: usize,
    converged: bool,
    categorical: Vec<usize>,
}

impl KPrototypesModel {
    /// What the columns are.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// What a category that is not the mode costs, per categorical column; then what the ends of the scale are apart, per
    /// ordinal column.
    pub fn gamma(&self) -> &[f64] {
        &self.gamma
    }

    /// Means of the numeric columns, then of the ranks of the ordinal ones, `(n_clusters, n_numeric + n_ordinal)`.
    pub fn centres(&self) -> ArrayView2<'_, f64> {
        let shape = (self.n_clusters, self.columns.n_numbers());
        ArrayView2::from_shape(shape, &self.centres).unwrap_or(ArrayView2::from(&[[]; 0]))
    }

    /// Codes of the modes of the categorical columns, `(n_clusters, n_categorical)`.
    pub fn modes(&self) -> ArrayView2<'_, u32> {
        let shape = (self.n_clusters, self.columns.categorical.len());
        ArrayView2::from_shape(shape, &self.modes).unwrap_or(ArrayView2::from(&[[]; 0]))
    }

    /// One row per cluster: means of the numbers and ranks, names of the modes, columns in the order in which they came.
    ///
    /// # Errors
    ///
    /// Those of [`Table::from_columns`], which a model that was checked does not meet.
    pub fn centroids(&self) -> Result<Table> {
        let (centres, modes) = (self.centres(), self.modes());
        let mut table = Table::builder();
        for name in &self.columns.order {
            let numeric = self.columns.of_numbers().position(|column| column == name);
            if let Some(column) = numeric {
                table = table.float(name, centres.column(column).iter().copied());
            }
            let named = |attribute: &&Attribute| attribute.name == *name;
            if let Some(attribute) = self.columns.categorical.iter().find(named) {
                let column = self.columns.categorical.iter().position(|other| other == attribute);
                let categories = modes.column(column.unwrap_or_default());
                let names =
                    categories.iter().filter_map(|&mode| attribute.categories.get(mode as usize));
                table = table.text(name, names);
            }
        }
        table.finish()
    }

    /// Label of each training row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The model without the labels of the rows it was fitted on, for who keeps them elsewhere.
    #[must_use]
    pub(crate) fn without_labels(self) -> Self {
        Self { labels: Vec::new(), ..self }
    }

    /// Total weight of the rows of each cluster.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The objective: weighted sum of the costs of the rows in their clusters.
    pub fn cost(&self) -> f64 {
        self.cost
    }

    /// Iterations of the best start.
    pub fn n_iter(&self) -> usize {
        self.n_iter
    }

    /// Whether the best start settled before `max_iter`.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Number of clusters that have rows; fewer than asked for where fewer rows differ.
    pub fn n_found(&self) -> usize {
        self.weights.iter().filter(|&&weight| weight > 0.0).count()
    }

    fn with_lloyd<R>(
        &self,
        data: &Mixed,
        weights: Option<&[f64]>,
        monitor: &Monitor,
        then: impl FnOnce(MixedLloyd<'_>) -> R,
    ) -> Result<R> {
        let (d, m) = (self.columns.n_numbers(), self.columns.categorical.len());
        if data.d() != d || data.m() != m {
            return Err(Error::argument(
                "X",
                format!("{} numeric and {} categorical columns", data.d(), data.m()),
                format!("the model was fitted on {d} and {m}"),
            ));
        }
        check_weights(weights, data.n_rows())?;
        let space = Space::of_model(data, weights, &self.gamma);
        let mut lloyd = MixedLloyd::new(&space, self.n_clusters);
        let prototypes = Prototypes { centres: self.centres.clone(), modes: self.modes.clone() };
        lloyd.label(prototypes, monitor)?;
        Ok(then(lloyd))
    }

    /// Label of the nearest cluster of each row, ties to the lowest. Unseen categories differ from every mode.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for other columns than the model's; [`Error::Interrupted`].
    pub fn predict(&self, data: &Mixed, monitor: &Monitor) -> Result<Vec<u32>> {
        self.with_lloyd(data, None, monitor, |lloyd| lloyd.labels)
    }

    /// The objective on other rows.
    ///
    /// # Errors
    ///
    /// As for [`KPrototypesModel::predict`], and for weights out of range.
    pub fn cost_of(&self, data: &Mixed, weights: Option<&[f64]>, monitor: &Monitor) -> Result<f64> {
        self.with_lloyd(data, weights, monitor, |lloyd| lloyd.sums.cost)
    }

    /// Square root of the cost of each row in every cluster, `(n, n_clusters)`: a distance where all columns are numeric.
    ///
    /// # Errors
    ///
    /// As for [`KPrototypesModel::predict`].
    pub fn distances(&self, data: &Mixed, monitor: &Monitor) -> Result<Array2<f64>> {
        Ok(self.costs(data, monitor)?.mapv_into(f64::sqrt))
    }

    /// Cost of each row in every cluster, `(n, n_clusters)`.
    ///
    /// # Errors
    ///
    /// As for [`KPrototypesModel::predict`].
    pub fn costs(&self, data: &Mixed, monitor: &Monitor) -> Result<Array2<f64>> {
        let mut found = vec![0.0; data.n_rows() * self.n_clusters];
        self.with_lloyd(data, None, monitor, |lloyd| lloyd.costs(&mut found, monitor))?;
        monitor.check()?;
        Array2::from_shape_vec((data.n_rows(), self.n_clusters), found)
            .map_err(|error| Error::argument("X", error, "a matrix is needed"))
    }
}

impl Persist for KPrototypesModel {
    const KIND: &'static str = "kprototypes";

    fn validate(&self) -> Result<()> {
        let (k, d, m) = (self.n_clusters, self.columns.n_numbers(), self.columns.categorical.len());
        if k == 0 || d + m == 0 || self.columns.order.len() != d + m {
            return Err(broken("there are no clusters or no columns"));
        }
        if Some(self.centres.len()) != k.checked_mul(d)
            || Some(self.modes.len()) != k.checked_mul(m)
        {
            return Err(broken("there is not one prototype per cluster"));
        }
        if self.centres.iter().any(|value| value.is_nan() || value.abs() > 1e149) {
            return Err(broken("a centre is not a finite number that can be squared"));
        }
        let valid = |(at, &gamma): (usize, &f64)| gamma::is_valid(gamma, at >= m);
        if self.gamma.len() != m + self.columns.ordinal.len()
            || !self.gamma.iter().enumerate().all(valid)
        {
            return Err(broken("there is not one gamma per categorical and ordinal column"));
        }
        let n_categories = self.columns.n_categories();
        if m > 0
            && self
                .modes
                .chunks(m)
                .flat_map(|row| row.iter().zip(&n_categories))
                .any(|(c, n)| c >= n)
        {
            return Err(broken("a mode is not one of the categories"));
        }
        if self.weights.len() != k || self.weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            return Err(broken("there is not one weight per cluster"));
        }
        if self.labels.iter().any(|&label| label as usize >= k) {
            return Err(broken("a label is not that of a cluster"));
        }
        if !(self.cost >= 0.0 && self.cost.is_finite()) {
            return Err(broken("the cost is not a finite number"));
        }
        Ok(())
    }
}

impl<D: Data<Elem = f64>, Y> Fit<ArrayBase<D, Ix2>, Y, Error> for KPrototypes {
    type Object = KPrototypesModel;

    /// Columns at `categorical` hold category codes.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, Y>) -> Result<Self::Object> {
        let data = Mixed::from_array(dataset.records().view(), &self.categorical)?;
        let weights = linfa_weights(dataset.weights());
        Self::fit(self, &data, weights.as_deref(), &Monitor::new())
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<usize>> for KPrototypesModel {
    /// # Panics
    ///
    /// If the rows do not have the columns of the model; [`KPrototypesModel::predict`] gives an error instead.
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, labels: &mut Array1<usize>) {
        let found = Mixed::from_array(rows.view(), &self.categorical)
            .and_then(|data| self.predict(&data.with_columns(&self.columns), &Monitor::new()));
        match found {
            Ok(found) => *labels = found.into_iter().map(|label| label as usize).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<usize> {
        Array1::zeros(rows.nrows())
    }
}
