//! What happens to a stack, a look at a time.

use std::collections::BTreeSet;

use super::site::{Hand, place};
use crate::manifests::{Book, ObjectRef, document::objects, place::Place};

const SHOP: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n\
                    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n";

fn config(name: &str, namespace: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{namespace}}}\n")
}

fn places(text: &str) -> BTreeSet<Place> {
    objects(text).expect("valid").iter().map(|object| place(&ObjectRef::from(object))).collect()
}

/// A site with a file that was applied, by a controller that goes on.
fn settled(path: &str, text: &str) -> (Hand, Option<Book>) {
    let (mut hand, mut book) = (Hand::default(), None);
    hand.0.borrow_mut().write(path, text);
    hand.rounds(&mut book, 3);
    assert_eq!(hand.0.borrow().there, places(text));
    (hand, book)
}

fn stacks(hand: &Hand) -> Vec<(String, usize)> {
    hand.0.borrow().recorded().into_iter().map(|record| (record.stack, record.objects.len())).collect()
}

#[test]
fn a_new_stack_is_applied_at_the_first_look() {
    let (mut hand, mut book) = (Hand::default(), None);
    hand.0.borrow_mut().write("shop.yaml", SHOP);
    hand.rounds(&mut book, 1);
    assert_eq!(hand.0.borrow().there, places(SHOP));
    assert_eq!(stacks(&hand), [("shop".to_owned(), 2)]);
}

#[test]
fn a_file_that_is_being_written_removes_nothing() {
    let (mut hand, mut book) = settled("shop.yaml", SHOP);
    // What `helm template shop > shop.yaml` leaves to see on its way.
    for length in [0, 60, 90, 90] {
        hand.0.borrow_mut().write("shop.yaml", &SHOP[..length]);
        hand.rounds(&mut book, 1);
    }
    hand.0.borrow_mut().write("shop.yaml", SHOP);
    hand.rounds(&mut book, 3);
    assert!(hand.0.borrow().removed.is_empty());
    hand.0.borrow_mut().write("shop.yaml", &format!("{SHOP}{}", config("a", "")));
    hand.rounds(&mut book, 1);
    assert_eq!(hand.0.borrow().there, places(SHOP), "a look later");
    hand.rounds(&mut book, 1);
    assert_eq!(hand.0.borrow().there.len(), 3);
}

#[test]
fn a_file_that_holds_nothing_removes_nothing_however_long() {
    let (mut hand, mut book) = settled("shop.yaml", SHOP);
    hand.0.borrow_mut().write("shop.yaml", "# nothing\n");
    hand.rounds(&mut book, 5);
    hand.rounds(&mut None, 5);
    assert_eq!(hand.0.borrow().there, places(SHOP));
    assert_eq!(stacks(&hand), [("shop".to_owned(), 2)]);
    hand.0.borrow_mut().remove("shop.yaml");
    hand.rounds(&mut book, 2);
    assert!(hand.0.borrow().there.is_empty() && stacks(&hand).is_empty());
}

#[test]
fn what_left_the_folder_goes_at_the_second_look() {
    let (mut hand, mut book) = settled("shop.yaml", SHOP);
    hand.0.borrow_mut().remove("shop.yaml");
    hand.rounds(&mut book, 1);
    hand.0.borrow_mut().write("shop.yaml", SHOP);
    hand.rounds(&mut book, 3);
    assert!(hand.0.borrow().removed.is_empty(), "git and editors remove and write anew");
    hand.0.borrow_mut().remove("shop.yaml");
    hand.rounds(&mut book, 1);
    assert_eq!(hand.0.borrow().there, places(SHOP));
    hand.rounds(&mut book, 1);
    assert!(hand.0.borrow().there.is_empty() && stacks(&hand).is_empty());
    assert!(!hand.0.borrow().list.as_ref().expect("a list").contains("shop"), "nor listed");
    assert!(hand.0.borrow().wrong.is_empty());
}

#[test]
fn an_object_whose_namespace_is_spelt_out_stays() {
    let (mut hand, mut book) = settled("a.yaml", &config("a", ""));
    for text in [config("a", ", namespace: default"), config("a", "")] {
        hand.0.borrow_mut().write("a.yaml", &text);
        hand.rounds(&mut book, 3);
        assert_eq!(hand.0.borrow().there, places(&text));
        assert!(hand.0.borrow().removed.is_empty());
    }
    assert_eq!(stacks(&hand), [("a".to_owned(), 1)]);
}

#[test]
fn a_file_that_is_renamed_keeps_its_objects() {
    let (mut hand, mut book) = settled("shop.yaml", SHOP);
    hand.0.borrow_mut().rename("shop.yaml", "store.yaml");
    hand.rounds(&mut book, 3);
    assert_eq!(hand.0.borrow().there, places(SHOP));
    assert!(hand.0.borrow().removed.is_empty());
    assert_eq!(stacks(&hand), [("store".to_owned(), 2)]);
    hand.0.borrow_mut().remove("store.yaml");
    hand.rounds(&mut book, 2);
    assert!(hand.0.borrow().there.is_empty());
}

#[test]
fn an_object_that_moves_to_another_file_stays_and_its_record_follows() {
    let (mut hand, mut book) = settled("a.yaml", &format!("{}{}", config("a", ""), config("b", "")));
    hand.0.borrow_mut().write("a.yaml", &config("a", ""));
    hand.0.borrow_mut().write("b.yaml", &config("b", ""));
    hand.rounds(&mut book, 3);
    assert!(hand.0.borrow().removed.is_empty());
    assert_eq!(stacks(&hand), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    hand.0.borrow_mut().remove("b.yaml");
    hand.rounds(&mut book, 2);
    assert_eq!(hand.0.borrow().there, places(&config("a", "")));
}

#[test]
fn a_file_that_cannot_be_read_keeps_everything() {
    let (mut hand, mut book) = settled("a.yaml", &config("a", ""));
    let spoil: [&dyn Fn(&Hand); 2] =
        [&|hand| hand.0.borrow_mut().write("b.yaml", "kind: {"), &|hand| hand.0.borrow_mut().dangle("b.yaml")];
    for spoil in spoil {
        hand.0.borrow_mut().write("a.yaml", &config("a", ""));
        hand.rounds(&mut book, 2);
        spoil(&hand);
        hand.0.borrow_mut().remove("a.yaml");
        hand.rounds(&mut book, 4);
        assert_eq!(hand.0.borrow().there, places(&config("a", "")));
    }
    hand.0.borrow_mut().remove("b.yaml");
    hand.rounds(&mut book, 2);
    assert!(hand.0.borrow().there.is_empty());
}

#[test]
fn a_link_that_leads_nowhere_is_no_file_that_is_gone() {
    let (mut hand, mut book) = settled("shop.yaml", SHOP);
    hand.0.borrow_mut().dangle("shop.yaml");
    hand.rounds(&mut book, 4);
    assert_eq!(hand.0.borrow().there, places(SHOP));
}

#[test]
fn what_a_predecessor_of_the_same_name_applied_stays() {
    let (mut hand, _) = settled("shop.yaml", SHOP);
    hand.0.borrow_mut().list = None;
    hand.0.borrow_mut().remove("shop.yaml");
    let mut book = None;
    hand.rounds(&mut book, 4);
    assert_eq!(hand.0.borrow().there, places(SHOP));
    hand.0.borrow_mut().write("shop.yaml", SHOP);
    hand.rounds(&mut book, 2);
    hand.0.borrow_mut().remove("shop.yaml");
    hand.rounds(&mut book, 2);
    assert!(hand.0.borrow().there.is_empty(), "once it is this one's own");
}

#[test]
fn another_controllers_stack_and_what_is_in_it_stay() {
    let both = format!("{}{}", config("a", ""), config("b", ""));
    let (mut hand, _) = settled("a.yaml", &both);
    let mut theirs = hand.0.borrow().recorded().remove(0);
    (theirs.node, theirs.stack) = ("mill".parse().expect("a name"), "mills".to_owned());
    theirs.objects.remove(1);
    hand.0.borrow_mut().records.insert("mills".to_owned(), theirs.object());
    hand.0.borrow_mut().remove("a.yaml");
    hand.rounds(&mut None, 1);
    let mut book = None;
    hand.rounds(&mut book, 3);
    assert_eq!(hand.0.borrow().there, places(&config("a", "")), "what it holds is not this one's to remove");
    assert_eq!(stacks(&hand), [("mills".to_owned(), 1)]);
}

#[test]
fn a_namespace_stays_while_something_is_in_it() {
    let both = format!("{SHOP}{}", config("a", ", namespace: shop"));
    let (mut hand, mut book) = settled("shop.yaml", &both);
    hand.0.borrow_mut().write("shop.yaml", &config("a", ", namespace: shop"));
    hand.rounds(&mut book, 3);
    assert_eq!(hand.0.borrow().removed.len(), 1, "the deployment");
    assert_eq!(hand.0.borrow().there.len(), 2);
    hand.0.borrow_mut().remove("shop.yaml");
    hand.rounds(&mut book, 2);
    assert!(hand.0.borrow().there.is_empty());
}

#[test]
fn a_lead_that_is_lost_ends_the_round() {
    let (mut hand, mut book) = settled("a.yaml", &format!("{}{}", config("a", ""), config("b", "")));
    hand.0.borrow_mut().remove("a.yaml");
    hand.rounds(&mut book, 1);
    // Asked before the stack and before each object.
    hand.0.borrow_mut().lose = Some(3);
    hand.rounds(&mut book, 1);
    assert_eq!(hand.0.borrow().removed.len(), 1);
    assert!(book.is_none());
    hand.rounds(&mut book, 2);
    assert!(hand.0.borrow().there.is_empty());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_looked_at_again() {
    let (mut hand, mut book) = settled("shop.yaml", SHOP);
    hand.0.borrow_mut().write("a.yaml", &config("a", ""));
    hand.0.borrow_mut().write("shop.yaml", &SHOP[..60]);
    hand.rounds(&mut book, 1);
    // The second look finds both at rest, and the one of them is filled while the other is applied.
    hand.0.borrow_mut().later = Some((3, Box::new(|site| site.write("shop.yaml", SHOP))));
    hand.rounds(&mut book, 1);
    assert!(hand.0.borrow().removed.is_empty());
    hand.rounds(&mut book, 3);
    assert!(hand.0.borrow().removed.is_empty());
}

#[test]
fn a_file_that_comes_while_others_go_keeps_what_it_holds() {
    let (mut hand, mut book) = settled("a.yaml", &config("a", ""));
    hand.0.borrow_mut().remove("a.yaml");
    hand.rounds(&mut book, 1);
    // Between the second look and the removal.
    hand.0.borrow_mut().later = Some((0, Box::new(|site| site.write("b.yaml", &config("a", "")))));
    hand.rounds(&mut book, 3);
    assert!(hand.0.borrow().removed.is_empty());
    assert_eq!(stacks(&hand), [("b".to_owned(), 1)]);
}
