//! Laws of traits that distinguish, of trees and of typing tools, beside slow twins.

use ilk::manifest::Manifest;
use ilk::parallel::{Monitor, set_num_threads};
use ilk::persist;
use ilk::profile::rules::distinguish::{self, Method};
use ilk::profile::rules::{
    Condition, Cover, Criterion, Customers, Search, Selector, Selectors, Values, cover,
    distinguish as find, search, tree, typing,
};
use ilk::table::{MISSING, Table};
use proptest::prelude::*;

/// Customers with yes/no traits: `(segment, traits as bits)`.
fn people(most: usize, traits: usize) -> impl Strategy<Value = Vec<(u32, u16)>> {
    let person = (0..3_u32, 0..(1_u16 << traits));
    proptest::collection::vec(person, 6..most).prop_filter("two segments", |people| {
        people.iter().any(|p| p.0 == 0) && people.iter().any(|p| p.0 == 1)
    })
}

/// The selectors of yes/no traits, one each.
fn selectors(people: &[(u32, u16)], traits: usize) -> Selectors {
    let labels: Vec<u32> = people.iter().map(|p| p.0).collect();
    let segments = ilk::profile::rules::Segments::new(&labels, 3);
    let traits = (0..traits)
        .map(|at| Selector {
            condition: Condition::is(at, 0),
            bits: segments.bits(|row| people[row].1 >> at & 1 == 1),
        })
        .collect();
    Selectors { segments, traits }
}

/// Customers of segment 0 and others who hold all of a set.
fn held(people: &[(u32, u16)], set: u16) -> (usize, usize) {
    let hold =
        |inside: bool| people.iter().filter(|p| (p.0 == 0) == inside && p.1 & set == set).count();
    (hold(true), hold(false))
}

/// Tries every set of traits: the size of the smallest that meets the criterion, and the most customers of the segment and
/// then fewest others that one of that size is held by.
fn slow_cover(
    people: &[(u32, u16)],
    traits: usize,
    criterion: &Criterion,
) -> Option<(u32, usize, usize)> {
    let inside = people.iter().filter(|p| p.0 == 0).count();
    let outside = people.len() - inside;
    let common = |set: u16| {
        held(people, set).0 as f64 >= criterion.coverage * inside as f64 - 1e-9
            && held(people, set).0 > 0
    };
    let mut best: Option<(u32, std::cmp::Reverse<usize>, usize)> = None;
    for set in 1..1_u16 << traits {
        let fits = if criterion.jointly {
            common(set)
        } else {
            (0..traits).filter(|at| set >> at & 1 == 1).all(|at| common(1 << at))
        };
        let (kept, left) = held(people, set);
        if fits
            && left as f64 <= criterion.leak * outside as f64 + 1e-9
            && set.count_ones() as usize <= criterion.max_traits
        {
            let key = (set.count_ones(), std::cmp::Reverse(kept), left);
            if best.is_none_or(|best| key < best) {
                best = Some(key);
            }
        }
    }
    best.map(|(size, kept, left)| (size, kept.0, left))
}

fn number(n: &Cover) -> (u32, usize, usize) {
    (n.traits.len() as u32, n.inside, n.outside)
}

proptest! {
    /// S5-CHAR-01: the set is a smallest one, checked against every set of up to twelve traits.
    #[test]
    fn cover_is_minimal(
        people in people(60, 12), coverage in 0.0..0.9_f64, leak in prop_oneof![Just(0.0), 0.0..0.3_f64],
        jointly: bool, max_traits in 1..8_usize,
    ) {
        // Few of random customers can be told apart by chance: give segment 0 a likeness.
        let people: Vec<(u32, u16)> =
            people.into_iter().map(|(s, t)| (s, if s == 0 { t | 0b1011 } else { t & (t >> 3 | 0b1100_1111) })).collect();
        let criterion = Criterion { coverage, leak, jointly, max_traits, budget: u64::MAX };
        let selectors = selectors(&people, 12);
        let found = cover(&selectors, 0, &criterion);
        let slow = slow_cover(&people, 12, &criterion);
        prop_assert_eq!(found.separates, slow.is_some());
        if let Some(slow) = slow {
            prop_assert_eq!(number(&found), slow);
            prop_assert!(found.certain());
            let set = found.traits.iter().map(|&at| 1_u16 << at).sum();
            prop_assert_eq!(held(&people, set), (found.inside, found.outside));
        } else {
            prop_assert!(found.at_least > max_traits);
        }
    }

    /// Where the work is used up the set still meets the criterion, and the bound on its size holds.
    #[test]
    fn grown_covers_meet_the_criterion_and_the_bound(
        people in people(80, 10), leak in 0.0..0.3_f64, budget in 0..400_u64,
    ) {
        let people: Vec<(u32, u16)> =
            people.into_iter().map(|(s, t)| (s, if s == 0 { t | 0b111 } else { t })).collect();
        let criterion = Criterion { coverage: 0.4, leak, jointly: false, max_traits: 10, budget };
        let found = cover(&selectors(&people, 10), 0, &criterion);
        let slow = slow_cover(&people, 10, &criterion);
        prop_assert_eq!(found.separates, slow.is_some());
        if let Some((size, ..)) = slow {
            prop_assert!(found.at_least <= size as usize && found.traits.len() >= size as usize);
            // Wolsey (1982): the harmonic number of how many others are to be turned away.
            let outside = people.iter().filter(|p| p.0 != 0).count();
            let turned = outside - (leak * outside as f64 + 1e-9) as usize;
            let harmonic: f64 = (1..=turned).map(|m| 1.0 / m as f64).sum();
            prop_assert!(found.traits.len() as f64 <= harmonic * f64::from(size) + 1e-9);
            if !found.certain() {
                prop_assert!(found.at_least < found.traits.len());
            }
        }
    }

    /// The best subgroups are those that trying all of them gives.
    #[test]
    fn subgroups_are_the_best_of_all(
        people in people(80, 9), depth in 1..5_usize, top in 1..12_usize, redundant: bool,
    ) {
        let selectors = selectors(&people, 9);
        let wanted = Search { depth, top, redundant, budget: u64::MAX, beam: 10 };
        let found = search(&selectors, 0, &wanted);
        prop_assert!(found.certain);
        let (inside, outside) = held(&people, 0);
        let quality = |set: u16| {
            let (kept, left) = held(&people, set);
            kept as i128 * (inside + outside) as i128 - (kept + left) as i128 * inside as i128
        };
        let needless = |set: u16| {
            set.count_ones() > 1
                && (0..9).any(|at| set >> at & 1 == 1 && quality(set & !(1 << at)) >= quality(set))
        };
        let mut all: Vec<(std::cmp::Reverse<i128>, u32, Vec<usize>)> = (1..1_u16 << 9)
            .filter(|set| set.count_ones() as usize <= depth && quality(*set) > 0)
            .filter(|&set| redundant || !needless(set))
            .map(|set| {
                let traits = (0..9).filter(|at| set >> at & 1 == 1).collect();
                (std::cmp::Reverse(quality(set)), set.count_ones(), traits)
            })
            .collect();
        all.sort();
        all.truncate(top);
        let found: Vec<_> = found
            .subgroups
            .into_iter()
            .map(|g| (std::cmp::Reverse(g.quality), g.traits.len() as u32, g.traits))
            .collect();
        prop_assert_eq!(found, all);
    }

    /// A beam that is wide enough finds what the exact search finds, and says that it is not certain.
    #[test]
    fn wide_beams_find_the_best(people in people(60, 7)) {
        let selectors = selectors(&people, 7);
        let exact = Search { depth: 3, top: 3, redundant: true, budget: u64::MAX, beam: 1 };
        let beam = Search { budget: 0, beam: 1000, ..exact };
        let (exact, beam) = (search(&selectors, 0, &exact), search(&selectors, 0, &beam));
        prop_assert!(!beam.certain);
        prop_assert_eq!(exact.subgroups, beam.subgroups);
    }
}

fn manifest(rows: usize) -> Manifest {
    Manifest::new("test", serde_json::Map::new(), Some(0), rows)
}

/// Customers of three segments with amounts, categories and gaps.
fn market(n: usize) -> (Table, Vec<u32>) {
    let mut state = 12345_u64;
    let mut draw = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let labels: Vec<u32> =
        (0..n).map(|_| if draw() < 0.5 { 0 } else { 1 + u32::from(draw() < 0.4) }).collect();
    let age: Vec<f64> = labels
        .iter()
        .map(|&l| if draw() < 0.05 { f64::NAN } else { 30.0 + 20.0 * f64::from(l) + 25.0 * draw() })
        .collect();
    let visits: Vec<f64> =
        labels.iter().map(|&l| (draw() * 4.0 + f64::from(l == 1) * 3.0).floor()).collect();
    let region: Vec<&str> = labels
        .iter()
        .map(|&l| ["north", "south", "east", "west"][((draw() * 2.0) as usize + l as usize) % 4])
        .collect();
    let noise: Vec<f64> = (0..n).map(|_| draw()).collect();
    let table = Table::builder()
        .float("age", age)
        .float("visits", visits)
        .text("region", region)
        .float("noise", noise)
        .finish()
        .unwrap();
    (table, labels)
}

fn names() -> Vec<String> {
    ["a", "b", "c"].map(str::to_string).to_vec()
}

fn tree_options() -> tree::Options {
    tree::Options {
        traits: None,
        exclude: Vec::new(),
        max_depth: 4,
        max_leaves: 16,
        min_leaf: None,
        cost: Vec::new(),
        tolerance: Some(0.0),
        folds: 5,
        confidence: 0.95,
        seed: 7,
    }
}

fn tool_options() -> typing::Options {
    typing::Options {
        questions: None,
        exclude: Vec::new(),
        max_questions: 4,
        tolerance: Some(0.0),
        answers: 5,
        folds: 5,
        confidence: 0.95,
        seed: 7,
    }
}

fn distinguish_options(method: Method) -> distinguish::Options {
    distinguish::Options {
        method,
        traits: None,
        exclude: Vec::new(),
        max_traits: 3,
        top: 5,
        coverage: 0.5,
        leak: 0.05,
        jointly: true,
        quantiles: vec![0.25, 0.5, 0.75],
        redundant: false,
        confidence: 0.95,
        budget: distinguish::BUDGET,
    }
}

#[test]
fn rules_tools_and_distinctions_have_the_same_bits_for_any_number_of_threads() {
    let (table, labels) = market(9000);
    let monitor = Monitor::new();
    let made = || {
        let rules =
            tree::rules(&table, &labels, &names(), &tree_options(), manifest(9000), &monitor)
                .unwrap();
        let tool = typing::typing_tool(
            &table,
            &labels,
            &names(),
            &tool_options(),
            manifest(9000),
            &monitor,
        )
        .unwrap();
        let found = |method| {
            let options = distinguish_options(method);
            find(&table, &labels, &names(), &options, manifest(9000), &monitor).unwrap()
        };
        [
            persist::to_json(&rules).unwrap(),
            persist::to_json(&tool).unwrap(),
            persist::to_json(&found(Method::Cover)).unwrap(),
            persist::to_json(&found(Method::Subgroup)).unwrap(),
        ]
    };
    let first = made();
    for threads in [1, 2, 8] {
        set_num_threads(threads);
        assert_eq!(made(), first);
    }
    set_num_threads(0);
    let back: tree::Rules = persist::from_json(&first[0]).unwrap();
    assert_eq!(persist::to_json(&back).unwrap(), first[0]);
    let back: typing::TypingTool = persist::from_json(&first[1]).unwrap();
    assert_eq!(persist::to_json(&back).unwrap(), first[1]);
}

/// Every leaf's conditions hold for exactly the customers that it counts.
#[test]
fn rules_say_what_the_tree_does() {
    let (table, labels) = market(3000);
    let rules = tree::rules(
        &table,
        &labels,
        &names(),
        &tree::Options { tolerance: None, ..tree_options() },
        manifest(3000),
        &Monitor::new(),
    )
    .unwrap();
    let source = ("traits", None, &[][..]);
    let customers = Customers::read(&table, &labels, 3, source, &mut manifest(3000)).unwrap();
    let column = |feature: usize| {
        let name = rules.reader.features()[feature].name();
        customers.reader.features().iter().position(|f| f.name() == name).unwrap()
    };
    let mut reached = 0;
    for (leaf, conditions) in rules.leaves() {
        let mut counts = vec![0; 3];
        for row in 0..customers.n() {
            let holds = conditions.iter().all(|condition| {
                let at = column(condition.feature);
                match customers.amounts.get(at) {
                    Some(values) => condition.holds_amount(values[row]),
                    None => {
                        condition.holds_level(customers.codes[at - customers.amounts.len()][row], 4)
                    }
                }
            });
            counts[customers.labels[row] as usize] += u32::from(holds);
        }
        assert_eq!(counts, rules.nodes[leaf].counts);
        reached += counts.iter().sum::<u32>();
    }
    assert_eq!(reached, 3000);
    let (placed, unknown) = rules.predict(&table).unwrap();
    assert!(unknown.is_empty());
    let rights = placed.iter().zip(&labels).filter(|(a, b)| a == b).count() as u32;
    let leaves = rules.leaves();
    let hits: u32 =
        leaves.iter().map(|(at, _)| rules.nodes[*at].counts[rules.nodes[*at].segment()]).sum();
    assert_eq!(rights, hits);
}

#[test]
fn a_dear_column_is_not_asked() {
    let (table, labels) = market(3000);
    let used = |cost: Vec<(String, f64)>| {
        let options = tree::Options { cost, ..tree_options() };
        let rules =
            tree::rules(&table, &labels, &names(), &options, manifest(3000), &Monitor::new())
                .unwrap();
        rules.reader.features().iter().map(|f| f.name().to_string()).collect::<Vec<_>>()
    };
    assert!(used(Vec::new()).contains(&"age".to_string()));
    assert!(!used(vec![("age".to_string(), 1e6)]).contains(&"age".to_string()));
}

/// S5-CHAR-01: what a customer says is worth as much as the counts say, and a question that tells nothing is not asked.
#[test]
fn noise_is_neither_asked_nor_split_on() {
    let (table, labels) = market(4000);
    let tool = typing::typing_tool(
        &table,
        &labels,
        &names(),
        &tool_options(),
        manifest(4000),
        &Monitor::new(),
    )
    .unwrap();
    let asked: Vec<&str> = tool.reader.features().iter().map(|f| f.name()).collect();
    assert!(!asked.contains(&"noise"), "{asked:?}");
    let rules =
        tree::rules(&table, &labels, &names(), &tree_options(), manifest(4000), &Monitor::new())
            .unwrap();
    assert!(rules.reader.features().iter().all(|f| f.name() != "noise"));
    let (accuracy, lo, hi, largest) = tool.accuracy();
    assert!(lo < accuracy && accuracy < hi && accuracy > largest + 0.2);
}

#[test]
fn missing_and_unknown_values_are_placed() {
    let (table, labels) = market(3000);
    let rules =
        tree::rules(&table, &labels, &names(), &tree_options(), manifest(3000), &Monitor::new())
            .unwrap();
    let tool = typing::typing_tool(
        &table,
        &labels,
        &names(),
        &tool_options(),
        manifest(3000),
        &Monitor::new(),
    )
    .unwrap();
    let new = Table::builder()
        .float("age", [f64::NAN, 40.0, 1e9])
        .float("visits", [f64::NAN, f64::NAN, -5.0])
        .text("region", ["nowhere", "north", "south"])
        .finish()
        .unwrap();
    let (placed, unknown) = rules.predict(&new).unwrap();
    assert!(placed.iter().all(|&segment| segment < 3));
    assert!(unknown.iter().all(|(name, rows)| name == "region" && *rows == 1));
    let (placed, _) = tool.predict(&new).unwrap();
    assert_eq!(placed[0], MISSING);
    assert!(placed[1] < 3 && placed[2] < 3);
}

#[test]
fn conditions_on_one_column_become_one() {
    let range =
        |low, high| Condition { feature: 0, values: Values::Range { low, high }, missing: false };
    let both =
        Condition::at_least(0, 3.0).and(&Condition::below(0, 9.0)).and(&Condition::below(0, 7.0));
    assert_eq!(both, range(Some(3.0), Some(7.0)));
    assert!(both.holds_amount(3.0) && !both.holds_amount(7.0) && !both.holds_amount(f64::NAN));
}

#[test]
fn each_tree_of_the_pruning_path_is_smaller_than_the_last() {
    let (table, labels) = market(1500);
    let columns = vec!["noise".to_string(), "region".to_string()];
    for seed in 0..20 {
        // The labels of other customers have little to do with anything.
        let shuffled: Vec<u32> =
            (0..1500).map(|row| labels[row * (7 + 2 * seed as usize) % 1500]).collect();
        let options = tree::Options {
            traits: Some(columns.clone()),
            max_depth: 6,
            max_leaves: 60,
            min_leaf: Some(10),
            seed,
            ..tree_options()
        };
        let monitor = Monitor::new();
        let rules =
            tree::rules(&table, &shuffled, &names(), &options, manifest(1500), &monitor).unwrap();
        let pairs = || rules.path.windows(2);
        assert!(pairs().all(|two| two[0].leaves > two[1].leaves && two[0].alpha < two[1].alpha));
        let last = rules.path.last().unwrap();
        assert_eq!(last.leaves, 1);
        let largest = *rules.sizes.iter().max().unwrap() as f64 / 1500.0;
        assert!((last.fidelity - largest).abs() < 1e-12, "{} {largest}", last.fidelity);
        // What is told of a tree of one leaf places everybody in the largest segment.
        if rules.nodes.len() == 1 {
            let columns =
                (0..3).filter(|at| rules.placed.iter().skip(*at).step_by(3).any(|&n| n > 0));
            assert_eq!(columns.count(), 1);
        }
    }
}
