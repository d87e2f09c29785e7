//! Laws of cards, of who matches them, and of the customer in the middle.

use ilk::manifest::Manifest;
use ilk::parallel::{self, Monitor};
use ilk::persist::{from_json, to_json};
use ilk::persona::{
    Condition, Edit, List, Personas, Prevalence, Provenance, Request, Slot, Wanted, clean,
    clean_name, matches, personas, prevalence,
};
use ilk::table::{MISSING, Table};
use proptest::prelude::*;

fn manifest(rows: usize) -> Manifest {
    Manifest::new("personas", serde_json::Map::new(), None, rows)
}

fn request(names: &[&str], columns: &[&str]) -> Request {
    let wanted = |column: &&str| Wanted {
        column: (*column).to_string(),
        slot: "lifestyle".to_string(),
        by: "given".to_string(),
        level: None,
        chosen: true,
    };
    Request {
        names: names.iter().map(ToString::to_string).collect(),
        keep: (0..names.len()).collect(),
        why: vec![String::new(); names.len()],
        worth: None,
        categories: vec![Slot { key: "lifestyle".to_string(), name: "Lifestyle".to_string() }],
        taxonomy: "1".to_string(),
        scenario: None,
        attributes: columns.iter().map(wanted).collect(),
        lists: Vec::new(),
        inferred: Vec::new(),
        lines: vec![Vec::new(); names.len()],
        customer: None,
        confidence: 0.95,
        min_count: 0,
        top: 5,
        sensitive: false,
    }
}

fn make(table: &Table, labels: &[u32], request: &Request) -> Personas {
    personas(table, labels, request, manifest(labels.len()), &Monitor::new()).unwrap()
}

/// A number, a category and a segment of a customer; each may be missing.
type Customer = (Option<i32>, Option<u8>, Option<bool>);

fn customers() -> impl Strategy<Value = Vec<Customer>> {
    let customer = (
        prop::option::weighted(0.9, -20..20),
        prop::option::weighted(0.9, 0..4_u8),
        any::<Option<bool>>(),
    );
    prop::collection::vec(customer, 12..120)
}

fn table(customers: &[Customer]) -> (Table, Vec<u32>) {
    // Categories come first, and every one of them is met, so that nothing is constant.
    let number = |c: &Customer| c.0.map_or(f64::NAN, f64::from);
    let table = Table::builder()
        .float("number", [1.0, 2.0].into_iter().chain(customers.iter().map(number)))
        .float("half", [0.5, 1.0].into_iter().chain(customers.iter().map(|c| number(c) / 2.0)))
        .some_int(
            "level",
            [Some(0), Some(1)].into_iter().chain(customers.iter().map(|c| c.1.map(i64::from))),
        )
        .finish()
        .unwrap();
    let label = |c: &Customer| c.2.map_or(MISSING, u32::from);
    (table, [0, 1].into_iter().chain(customers.iter().map(label)).collect())
}

fn conditions() -> impl Strategy<Value = Vec<Condition>> {
    let range = (-20..20_i32, 1..15_i32, any::<[bool; 2]>()).prop_map(|(from, width, open)| {
        let (from, to) = (f64::from(from), f64::from(from + width));
        Condition::range("number", (open[0] || !open[1]).then_some(from), open[1].then_some(to))
    });
    let level = (0..6_u8).prop_map(|level| Condition::level("level", &level.to_string()));
    prop::collection::vec(prop_oneof![range, level], 1..8)
}

/// Whether a customer meets a condition, by the obvious way.
fn meets(condition: &Condition, number: f64, level: Option<i64>) -> Option<bool> {
    match &condition.level {
        Some(wanted) => level.map(|found| found.to_string() == *wanted),
        None if number.is_nan() => None,
        None => Some(
            condition.at_least.is_none_or(|from| number >= from)
                && condition.below.is_none_or(|to| number < to),
        ),
    }
}

proptest! {
    #[test]
    fn counts_of_matches_are_those_of_asking_each_customer(
        customers in customers(), conditions in conditions(),
    ) {
        let (table, labels) = table(&customers);
        let numbers = table.numeric("number").unwrap();
        let levels = table.codes("level").unwrap();
        let k = conditions.len();
        let mut rows = Vec::new();
        for (row, &label) in labels.iter().enumerate() {
            let level = levels.category(row).map(|name| name.parse().unwrap());
            let met: Vec<Option<bool>> =
                conditions.iter().map(|c| meets(c, numbers[row], level)).collect();
            if let Some(met) = met.into_iter().collect::<Option<Vec<bool>>>()
                && label != MISSING
            {
                rows.push((met, label == 1));
            }
        }
        let stated = [("a".to_string(), conditions.clone())];
        let found =
            prevalence(&table, &labels, &stated, &[Some(1)], 0.95, manifest(labels.len())).unwrap();
        let audit = &found.audits[0];
        let count = |f: &dyn Fn(&[bool]) -> bool| rows.iter().filter(|(met, _)| f(met)).count();
        let inside =
            |f: &dyn Fn(&[bool]) -> bool| rows.iter().filter(|(met, own)| *own && f(met)).count();
        prop_assert_eq!(audit.n, rows.len());
        prop_assert_eq!(audit.n_inside, Some(inside(&|_| true)));
        for m in 0..=k {
            let most = |met: &[bool]| met.iter().filter(|&&met| met).count() >= m;
            prop_assert_eq!(audit.at_least(m), count(&most));
            prop_assert_eq!(audit.at_least_inside(m), inside(&most));
        }
        for (at, stated) in audit.attributes.iter().enumerate() {
            prop_assert_eq!(stated.alone, count(&|met| met[at]));
            prop_assert_eq!(stated.alone_inside, inside(&|met| met[at]));
            let so_far = |met: &[bool]| met[..=at].iter().all(|&met| met);
            prop_assert_eq!(stated.so_far, count(&so_far));
            prop_assert_eq!(stated.so_far_inside, inside(&so_far));
            let others = |met: &[bool]| met.iter().enumerate().all(|(i, &met)| met || i == at);
            prop_assert_eq!(stated.without, count(&others));
        }
        let again: Prevalence = from_json(&to_json(&found).unwrap()).unwrap();
        prop_assert_eq!(again, found);
    }

    #[test]
    fn expectations_are_those_of_adding_up_all_outcomes(
        customers in customers(), conditions in conditions(),
    ) {
        let (table, labels) = table(&customers);
        let k = conditions.len();
        let stated = [("a".to_string(), conditions)];
        let found =
            prevalence(&table, &labels, &stated, &[None], 0.95, manifest(labels.len())).unwrap();
        let audit = &found.audits[0];
        let p: Vec<f64> =
            audit.attributes.iter().map(|s| s.alone as f64 / audit.n as f64).collect();
        for m in 0..=k {
            let mut expected = 0.0;
            for outcome in (0..1_u32 << k).filter(|outcome| outcome.count_ones() as usize >= m) {
                let chance = |(i, p): (usize, &f64)| if outcome >> i & 1 == 1 { *p } else { 1.0 - p };
                expected += p.iter().enumerate().map(chance).product::<f64>();
            }
            let expected = expected * audit.n as f64;
            prop_assert!((audit.expected_at_least(m) - expected).abs() < 1e-9);
        }
        prop_assert!((audit.expected_at_least(k) - audit.expected_so_far(k)).abs() < 1e-9);
    }

    #[test]
    fn rows_meet_as_many_conditions_as_they_do_one_by_one(
        customers in customers(), conditions in conditions(),
    ) {
        let (table, labels) = table(&customers);
        let all = matches(&table, &conditions).unwrap();
        let mut sum = vec![0; labels.len()];
        for condition in &conditions {
            let one = matches(&table, std::slice::from_ref(condition)).unwrap();
            for (sum, one) in sum.iter_mut().zip(one) {
                *sum += one;
            }
        }
        prop_assert_eq!(all, sum);
    }

    #[test]
    fn customer_in_the_middle_is_the_one_that_all_distances_name(
        customers in prop::collection::vec((-20..20_i32, 0..4_u8, any::<bool>()), 12..60),
    ) {
        let complete: Vec<Customer> =
            customers.iter().map(|&(x, c, s)| (Some(x), Some(c), Some(s))).collect();
        let (numbers, labels) = table(&complete);
        let words = Table::builder()
            .float("number", numbers.numeric("number").unwrap().iter().copied())
            .text("word", (0..labels.len()).map(|row| match row {
                0 | 1 => "ab".chars().nth(row).unwrap().to_string(),
                row => format!("w{}", customers[row - 2].1),
            }))
            .finish()
            .unwrap();
        let found = make(&words, &labels, &request(&["a", "b"], &["number", "word"]));
        let number = words.numeric("number").unwrap();
        let word = words.codes("word").unwrap();
        let (low, high) = number.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        let distance = |i: usize, j: usize| {
            let differ = f64::from(u8::from(word.codes[i] != word.codes[j]));
            ((number[i] - number[j]).abs() / (high - low) + differ) / 2.0
        };
        for (segment, card) in found.cards.iter().enumerate() {
            let members: Vec<usize> =
                (0..labels.len()).filter(|&row| labels[row] as usize == segment).collect();
            let mean = |i: usize| {
                members.iter().map(|&j| distance(i, j)).sum::<f64>() / members.len() as f64
            };
            let best = members.iter().map(|&i| mean(i)).fold(f64::INFINITY, f64::min);
            let exemplar = card.exemplar.as_ref().unwrap();
            prop_assert!((mean(exemplar.row) - best).abs() < 1e-9);
            prop_assert!((exemplar.distance - best).abs() < 1e-3);
        }
    }

    #[test]
    fn cards_are_the_same_for_any_order_of_the_customers(
        customers in customers(), seed in any::<u64>(),
    ) {
        let mut shuffled = customers.clone();
        let n = shuffled.len();
        for i in (1..n).rev() {
            shuffled.swap(i, (seed.rotate_left(i as u32) % (i as u64 + 1)) as usize);
        }
        let of = |customers: &[Customer]| {
            let (table, labels) = table(customers);
            let mut found = make(&table, &labels, &request(&["a", "b"], &["number", "half", "level"]));
            for card in &mut found.cards {
                card.exemplar = None; // a row
                // Sums of numbers differ in their last bits, and so may the last of four digits.
                card.lines.iter_mut().for_each(|line| line.figures.truncate(1));
            }
            found.cards
        };
        prop_assert_eq!(of(&customers), of(&shuffled));
    }

    #[test]
    fn saved_cards_come_back_and_validate(customers in customers(), hidden in 0..10_usize) {
        let (table, labels) = table(&customers);
        let mut wanted = request(&["a", "b"], &["number", "half", "level"]);
        wanted.min_count = hidden;
        wanted.lists = vec![List {
            slot: "problems".to_string(),
            columns: vec!["number".to_string()],
            at_least: Some(0.0),
            follows: Vec::new(),
        }];
        let found = make(&table, &labels, &wanted);
        let text = to_json(&found).unwrap();
        prop_assert_eq!(&from_json::<Personas>(&text).unwrap(), &found);
        for card in &found.cards {
            prop_assert!(card.lines.iter().all(|line| line.count.unwrap() >= hidden));
        }
        for threads in [1, 2, 8] {
            parallel::set_num_threads(threads);
            let again = to_json(&make(&table, &labels, &wanted)).unwrap();
            parallel::set_num_threads(0);
            prop_assert_eq!(&again, &text);
        }
    }

    #[test]
    fn any_text_is_kept_clean_and_cleaning_again_changes_nothing(text in any::<String>()) {
        let cleaned = clean(&text);
        prop_assert_eq!(&clean(&cleaned), &cleaned);
        let turns = |c: char| ('\u{202a}'..='\u{202e}').contains(&c);
        let harmless = cleaned.chars().all(|c| !c.is_control() && !turns(c));
        prop_assert!(harmless);
        let name = clean_name(&text);
        prop_assert_eq!(&clean_name(&name), &name);
        prop_assert!(name.chars().count() <= 200);
    }

    #[test]
    fn anything_said_by_hand_is_kept_or_refused(
        statement in any::<String>(), reason in any::<String>(), field in any::<String>(),
    ) {
        let (table, labels) = table(&[(Some(1), Some(1), Some(true)); 12]);
        let found = make(&table, &labels, &request(&["a", "b"], &["number", "level"]));
        for field in [field.as_str(), "problems", "number", "name", "lifestyle"] {
            let edit = Edit {
                field: field.to_string(),
                statements: vec![statement.clone()],
                range: None,
            };
            if let Ok(revised) = found.revise("b", &[edit], &reason) {
                let again: Personas = from_json(&to_json(&revised).unwrap()).unwrap();
                prop_assert_eq!(&again, &revised);
                prop_assert_eq!(revised.version, 2);
                prop_assert_eq!(revised.revisions.len(), 1);
            }
        }
    }
}

fn two() -> Personas {
    let customers: Vec<Customer> =
        (0..40).map(|i| (Some(i - 20), Some((i % 3) as u8), Some(i % 2 == 0))).collect();
    let (table, labels) = table(&customers);
    make(&table, &labels, &request(&["a", "b"], &["number", "half", "level"]))
}

#[test]
fn hostile_files_are_refused() {
    let good: serde_json::Value = serde_json::from_str(&to_json(&two()).unwrap()).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut bad = good.clone();
        change(&mut bad["content"]);
        assert_ne!(bad, good);
        from_json::<Personas>(&bad.to_string()).is_err()
    };
    use serde_json::json;
    let changes: [&dyn Fn(&mut serde_json::Value); 27] = [
        &|c| c["version"] = json!(0),
        &|c| c["confidence"] = json!(1.0),
        &|c| c["cards"] = json!([]),
        &|c| c["more"] = json!(1),
        &|c| c["cards"][0]["name"] = json!(""),
        &|c| c["cards"][0]["name"] = json!("b"),
        &|c| c["cards"][0]["name"] = json!("\u{202e}evil"),
        &|c| c["cards"][0]["name"] = json!("x".repeat(1_000_000)),
        &|c| c["cards"][0]["segment"] = json!("b"),
        &|c| c["cards"][0]["n"] = json!(1_000_000),
        &|c| c["cards"][0]["n"] = json!(null),
        &|c| c["cards"][0]["share"] = json!(2.0),
        &|c| c["cards"][0]["lines"][0]["slot"] = json!("nowhere"),
        &|c| c["cards"][0]["lines"][0]["statement"] = json!(""),
        &|c| c["cards"][0]["lines"][0]["statement"] = json!("a\u{1b}[2Jb"),
        &|c| c["cards"][0]["lines"][0]["statement"] = json!("x".repeat(1_000_000)),
        &|c| c["cards"][0]["lines"][0]["count"] = json!(1_000_000),
        &|c| c["cards"][0]["lines"][0]["provenance"] = json!("known"),
        &|c| c["cards"][0]["lines"][0]["condition"]["column"] = json!("other"),
        &|c| c["cards"][0]["lines"][0]["condition"] = json!({"column": "number"}),
        &|c| c["cards"][0]["lines"][0]["figures"][0]["lo"] = json!(0.9999),
        &|c| c["cards"][0]["lines"][0]["figures"][0]["unit"] = json!("euro"),
        &|c| c["cards"][0]["lines"][0]["replaces"] = json!(["\u{0}"]),
        &|c| c["cards"][0]["exemplar"]["values"] = json!([["a\u{0}", "b"]]),
        &|c| c["categories"][0]["key"] = json!("problems"),
        &|c| c["attributes"][0]["level"] = json!("planet"),
        &|c| {
            c["revisions"] = json!([{
                "version": 9, "segment": "a", "field": "name", "before": [], "after": [], "reason": ""
            }]);
        },
    ];
    for (at, change) in changes.iter().enumerate() {
        assert!(refused(change), "change {at} was taken");
    }
}

#[test]
fn what_is_said_replaces_what_was_counted_and_is_assumed() {
    let found = two();
    let before = found.cards[0].lines.iter().find(|l| l.attribute.as_deref() == Some("number"));
    let before = before.unwrap().statement.clone();
    let edit = Edit { field: "number".into(), statements: vec![], range: Some((Some(3.0), None)) };
    let revised = found.revise("a", &[edit], "a guess").unwrap();
    let line = revised.cards[0].lines.iter().find(|l| l.attribute.as_deref() == Some("number"));
    let line = line.unwrap();
    assert_eq!(line.statement, "3 or more");
    assert_eq!(line.provenance, Provenance::Assumed);
    assert_eq!(line.reason, "a guess");
    assert!(line.replaces[0].starts_with(&format!("number: {before}")), "{:?}", line.replaces);
    assert_eq!(line.condition, Some(Condition::range("number", Some(3.0), None)));
    assert!(line.figures.is_empty() && line.n.is_none());
    assert_eq!(revised.cards[1], found.cards[1]);
    assert_eq!(found.version, 1);
}

#[test]
fn unknown_fields_and_cards_name_the_nearest() {
    let found = two();
    let edit =
        |field: &str| [Edit { field: field.into(), statements: vec!["x".into()], range: None }];
    let told = |persona: &str, field: &str| {
        found.revise(persona, &edit(field), "why").unwrap_err().to_string()
    };
    assert!(told("a", "lifestile").contains("did you mean \"lifestyle\""));
    assert!(told("c", "lifestyle").contains("the personas are \"a\", \"b\""));
    assert!(found.revise("a", &edit("lifestyle"), " ").is_err());
    let range = [Edit { field: "lifestyle".into(), statements: vec![], range: Some((None, None)) }];
    assert!(found.revise("a", &range, "why").is_err());
    let empty =
        [Edit { field: "number".into(), statements: vec![], range: Some((Some(2.0), Some(2.0))) }];
    assert!(found.revise("a", &empty, "why").unwrap_err().to_string().contains("2 to 2"));
}
