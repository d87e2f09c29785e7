//! Which clusters of the condensed tree are the answer.

use super::hierarchy::Condensed;

/// How clusters are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Those that together hold the most excess of mass: the most persistent clusters.
    ExcessOfMass,
    /// Those that do not split: many small, alike clusters.
    Leaf,
}

/// What the choice depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) selection: Selection,
    pub(super) epsilon: f64,
    pub(super) single: bool,
    pub(super) max_cluster_size: usize,
}

/// The chosen clusters and their rows.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The cluster of the condensed tree behind each label.
    pub(super) clusters: Vec<u32>,
    /// The label of each cluster of the condensed tree, -1 for those outside all chosen ones.
    pub(super) labels: Vec<i32>,
}

impl Rules {
    /// Chooses.
    pub(super) fn choose(&self, tree: &Condensed) -> Chosen {
        let mut selected = match self.selection {
            Selection::ExcessOfMass => self.by_mass(tree),
            Selection::Leaf => tree.splits().into_iter().map(|splits| !splits).collect(),
        };
        if self.epsilon > 0.0 {
            self.merge_close(tree, &mut selected);
        }
        selected[0] &= self.single;
        // The topmost selected cluster owns all below it.
        let mut owners: Vec<Option<u32>> = Vec::with_capacity(tree.len());
        for (cluster, &selected) in selected.iter().enumerate() {
            let above = if cluster == 0 { None } else { owners[tree.parents[cluster] as usize] };
            owners.push(above.or(selected.then_some(cluster as u32)));
        }
        let threshold = tree.threshold(self.epsilon);
        let mut counts = vec![(0_usize, usize::MAX); tree.len()];
        for (row, &cluster) in tree.row_clusters.iter().enumerate() {
            if let Some(owner) = owners[cluster as usize]
                && (owner > 0 || tree.row_lambdas[row] >= threshold)
            {
                let (count, first) = &mut counts[owner as usize];
                (*count, *first) = (*count + 1, row.min(*first));
            }
        }
        let mut clusters: Vec<u32> =
            (0..tree.len() as u32).filter(|&cluster| counts[cluster as usize].0 > 0).collect();
        clusters.sort_by_key(|&cluster| {
            let (count, first) = counts[cluster as usize];
            (std::cmp::Reverse(count), first)
        });
        let mut names = vec![-1; tree.len()];
        for (label, &cluster) in clusters.iter().enumerate() {
            names[cluster as usize] = label as i32;
        }
        let labels = owners.iter().map(|owner| owner.map_or(-1, |owner| names[owner as usize]));
        Chosen { labels: labels.collect(), clusters }
    }

    /// Each cluster whose own mass is not less than that of the best clusters in it.
    fn by_mass(&self, tree: &Condensed) -> Vec<bool> {
        let mut selected = vec![false; tree.len()];
        let mut below = vec![0.0; tree.len()];
        for cluster in (0..tree.len()).rev() {
            let own = tree.stabilities[cluster];
            selected[cluster] = (self.single || cluster > 0)
                && below[cluster] <= own
                && tree.sizes[cluster] as usize <= self.max_cluster_size;
            if cluster > 0 {
                let mass = if selected[cluster] { own } else { below[cluster] };
                below[tree.parents[cluster] as usize] += mass;
            }
        }
        selected
    }

    /// Replaces clusters that appear within `epsilon` by the smallest cluster around them that does not.
    fn merge_close(&self, tree: &Condensed, selected: &mut [bool]) {
        // Only the topmost ones count.
        let mut covered = vec![false; tree.len()];
        let mut chosen = Vec::new();
        for cluster in 0..tree.len() {
            covered[cluster] = cluster > 0 && covered[tree.parents[cluster] as usize];
            if selected[cluster] && !covered[cluster] {
                covered[cluster] = true;
                chosen.push(cluster);
            }
        }
        if chosen == [0] {
            return;
        }
        selected.fill(false);
        let appears_at = |cluster: usize| 1.0 / tree.births[cluster];
        for mut cluster in chosen {
            if appears_at(cluster) < self.epsilon {
                loop {
                    let parent = tree.parents[cluster] as usize;
                    if parent == 0 {
                        cluster = if self.single { 0 } else { cluster };
                        break;
                    }
                    cluster = parent;
                    if appears_at(cluster) > self.epsilon {
                        break;
                    }
                }
            }
            selected[cluster] = true;
        }
    }
}
