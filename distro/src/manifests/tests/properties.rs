//! Whatever happens to the folder, in whatever order, and whatever the cluster refuses meanwhile.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::site::{Hand, Site, place};
use crate::manifests::{Book, document::objects, place::Place, record::StackRecord};

const FILES: [&str; 4] = ["a.yaml", "b.yaml", "sea/1.yaml", "sea/2.yaml"];

/// The same objects in several spellings, objects that others are in, and objects whose kind another object makes.
const OBJECTS: [(&str, &str, &str); 10] = [
    ("v1", "Namespace", "{name: shop}"),
    ("apps/v1", "Deployment", "{name: a}"),
    ("apps/v1", "Deployment", "{name: a, namespace: default}"),
    ("apps/v1beta1", "Deployment", "{name: a, namespace: shed}"),
    ("apps/v1", "Deployment", "{name: b, namespace: shop}"),
    ("v1", "ConfigMap", "{name: a, namespace: shop}"),
    ("v1", "ConfigMap", "{name: a}"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "{name: boats.sea.example}"),
    ("sea.example/v1", "Boat", "{name: a, namespace: default}"),
    ("apps/v1beta1", "Deployment", "{name: a}"),
];

/// Something that happens.
#[derive(Clone, Debug)]
enum Op {
    Write(usize, Vec<usize>),
    Cut(usize),
    Blank(usize),
    Spoil(usize),
    Dangle(usize),
    Remove(usize),
    Rename(usize, usize),
    Round,
    /// The process starts again.
    Restart,
    /// The disk is new.
    Reinstall,
    /// Another controller leads for a while and applies a stack of ours as its own.
    Usurp(usize),
    Refuse(usize, usize),
    Lose(usize),
}

fn change() -> impl Strategy<Value = Op> {
    let file = || 0..FILES.len();
    prop_oneof![
        6 => (file(), vec(0..OBJECTS.len(), 1..5)).prop_map(|(file, objects)| Op::Write(file, objects)),
        2 => file().prop_map(Op::Cut),
        1 => file().prop_map(Op::Blank),
        1 => file().prop_map(Op::Spoil),
        1 => file().prop_map(Op::Dangle),
        3 => file().prop_map(Op::Remove),
        3 => (file(), file()).prop_map(|(from, to)| Op::Rename(from, to)),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => change(),
        14 => Just(Op::Round),
        1 => Just(Op::Restart),
        1 => Just(Op::Reinstall),
        1 => (0..4_usize).prop_map(Op::Usurp),
        2 => (0..12_usize, 1..4_usize).prop_map(|(after, count)| Op::Refuse(after, count)),
        1 => (1..10_usize).prop_map(Op::Lose),
    ]
}

fn text(objects: &[usize]) -> String {
    let document = |at: &usize| {
        let (api_version, kind, metadata) = OBJECTS[*at];
        format!("---\napiVersion: {api_version}\nkind: {kind}\nmetadata: {metadata}\n")
    };
    objects.iter().map(document).collect()
}

fn happen(site: &mut Site, op: &Op) {
    match op {
        Op::Write(file, objects) => site.write(FILES[*file], &text(objects)),
        Op::Cut(file) => {
            let there = site.files.get(FILES[*file].as_ref() as &std::path::Path).and_then(|file| file.text.clone());
            if let Some(text) = there {
                site.write(FILES[*file], &text[..text.len() * 2 / 3]);
            }
        }
        Op::Blank(file) => site.write(FILES[*file], ""),
        Op::Spoil(file) => site.write(FILES[*file], "kind: {"),
        Op::Dangle(file) => site.dangle(FILES[*file]),
        Op::Remove(file) => site.remove(FILES[*file]),
        Op::Rename(from, to) => site.rename(FILES[*from], FILES[*to]),
        Op::Usurp(at) => {
            let record = site.recorded().into_iter().nth(*at);
            if let Some(record) = record {
                let theirs = StackRecord { node: "mill".parse().expect("a name"), ..record };
                site.records.insert(theirs.stack.clone(), theirs.object());
            }
        }
        Op::Refuse(after, count) => site.refuse = (*after, *count),
        Op::Lose(after) => site.lose = Some(*after),
        Op::Round | Op::Restart | Op::Reinstall => {}
    }
}

/// What this controller is not to answer for: what was there, and what it was made to forget.
#[derive(Default)]
struct Foreign(BTreeSet<Place>);

impl Foreign {
    fn add(&mut self, site: &Site) {
        self.0.extend(site.there.iter().cloned());
    }

    fn add_recorded(&mut self, site: &Site) {
        self.0.extend(site.recorded().iter().flat_map(|record| &record.objects).map(place));
    }
}

fn run(hand: &mut Hand, book: &mut Option<Book>, foreign: &mut Foreign, op: &Op) {
    happen(&mut hand.0.borrow_mut(), op);
    match op {
        Op::Round => drop(hand.round(book)),
        Op::Restart => *book = None,
        Op::Reinstall => {
            let mut site = hand.0.borrow_mut();
            (site.list, *book) = (None, None);
            site.files.clear();
            foreign.add(&site);
        }
        Op::Usurp(_) => {
            foreign.add_recorded(&hand.0.borrow());
            *book = None;
        }
        _ => {}
    }
}

/// Takes away what can never be applied, and waits until all is done.
fn mend(hand: &mut Hand, book: &mut Option<Book>) {
    {
        let mut site = hand.0.borrow_mut();
        (site.refuse, site.lose, site.later) = ((0, 0), None, None);
        let good = |text: &Option<String>| {
            text.as_deref().and_then(|text| objects(text).ok()).is_some_and(|objects| !objects.is_empty())
        };
        site.files.retain(|_, file| good(&file.text));
        site.write("zz.yaml", &text(&[0, 7]));
    }
    hand.rounds(book, 7);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Nothing is removed that a file holds which can be read, nor at the first look that misses it. And once all is well again,
    /// everything is there that files hold, and nothing that only left them.
    #[test]
    fn nothing_that_is_held_is_removed_and_nothing_else_stays(ops in vec(any_op(), 0..40)) {
        let (mut hand, mut book, mut foreign) = (Hand::default(), None, Foreign::default());
        let stranger = objects("{apiVersion: v1, kind: ConfigMap, metadata: {name: stranger}}").expect("valid");
        hand.0.borrow_mut().there.insert(place(&(&stranger[0]).into()));
        foreign.add(&hand.0.borrow());
        for op in &ops {
            run(&mut hand, &mut book, &mut foreign, op);
            prop_assert_eq!(&hand.0.borrow().wrong, &Vec::<String>::new(), "after {:?}", op);
        }
        mend(&mut hand, &mut book);
        let site = hand.0.borrow();
        prop_assert_eq!(&site.wrong, &Vec::<String>::new());
        let wanted = site.wanted();
        prop_assert!(wanted.is_subset(&site.there), "{:?} of {:?}", wanted, site.there);
        let more: Vec<_> = site.there.difference(&wanted).filter(|place| !foreign.0.contains(place)).collect();
        prop_assert!(more.is_empty(), "{:?}", more);
        prop_assert!(site.there.contains(&place(&(&stranger[0]).into())));
    }

    /// The same while the folder changes in the middle of rounds.
    #[test]
    fn a_folder_that_changes_meanwhile_loses_nothing(
        ops in vec((any_op(), proptest::option::of((0..25_usize, change()))), 0..30),
    ) {
        let (mut hand, mut book, mut foreign) = (Hand::default(), None, Foreign::default());
        for (op, meanwhile) in ops {
            if let Some((steps, change)) = meanwhile {
                hand.0.borrow_mut().later = Some((steps, Box::new(move |site| happen(site, &change))));
            }
            run(&mut hand, &mut book, &mut foreign, &op);
            prop_assert_eq!(&hand.0.borrow().wrong, &Vec::<String>::new(), "after {:?}", op);
        }
    }
}
