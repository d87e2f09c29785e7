//! Are the segments real? How many there are, whether they repeat on other customers, how far apart they are, and whether
//! structureless data looks as good.
//!
//! [`select`] tries numbers of segments and chooses one; [`stability`] and [`segments`] segment bootstrap samples and
//! compare; [`noise`] does the same to data without structure; [`separation`] holds what can be said of labels alone. They
//! read customers through [`customers`] and tell distances through [`metric`].
//!
//! Whatever [`Model`](crate::segment::Model) can fit takes part: a clustering method added there is in all of them, and an index
//! that only some methods have (an information criterion) is one more name in [`select::Selection::CRITERIA`].
//!
//! What limits the speed: silhouettes compute every distance once for all labellings, and are bound by square roots and
//! multiplications in the vector units, since the rows that a tile is compared with stay in the caches. Bootstrap samples
//! are weights on the different rows, so a fit reads about 63 % of them; most of its time goes into the starting centres and
//! the first iterations, which read every one of these. Samples, sets of structureless data and numbers of segments are tasks
//! side by side.

pub mod agreement;
pub mod assignment;
pub mod centres;
pub mod choice;
pub mod customers;
pub mod metric;
pub mod noise;
pub mod reference;
pub(crate) mod resample;
pub mod segments;
pub mod select;
pub mod separation;
pub mod silhouette;
pub mod stability;
pub mod strength;
pub mod summary;
