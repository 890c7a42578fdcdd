//! Where objects are in the cluster, and which of those that were applied nobody wants any more.
//!
//! The same object can be named in several ways: in every version of its group, and with its namespace spelt out or not. What
//! tells objects apart is where the API has them.

use std::collections::BTreeSet;

use super::stack::ObjectRef;

/// Where objects of a kind live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The kind's name in paths.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// Where an object is, whatever version it is asked for in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    group: String,
    plural: String,
    namespace: Option<String>,
    name: String,
}

impl Place {
    /// Where an object of a kind that lives there is.
    #[must_use]
    pub fn of(object: &ObjectRef, resource: &Resource) -> Self {
        Self {
            group: object.group().to_owned(),
            plural: resource.plural.clone(),
            namespace: resource.namespaced.then(|| object.namespace_or_default().to_owned()),
            name: object.name.clone(),
        }
    }

    /// Whether another object goes when this one does: what is in a namespace, and what is of a kind.
    pub(super) fn holds(&self, other: &Self) -> bool {
        match (self.group.as_str(), self.plural.as_str()) {
            ("", "namespaces") => other.namespace.as_ref() == Some(&self.name),
            (DEFINITIONS, "customresourcedefinitions") => self.name == format!("{}.{}", other.plural, other.group),
            _ => false,
        }
    }

    /// The same of an object of a kind that the cluster does not know, as far as its words go.
    fn may_hold(&self, other: &ObjectRef) -> bool {
        match (self.group.as_str(), self.plural.as_str()) {
            ("", "namespaces") => other.namespace_or_default() == self.name,
            (DEFINITIONS, "customresourcedefinitions") => self.name.ends_with(&format!(".{}", other.group())),
            _ => false,
        }
    }
}

const DEFINITIONS: &str = "apiextensions.k8s.io";

/// An object and where it is; nowhere if the cluster knows no such kind.
pub type Placed = (ObjectRef, Option<Place>);

/// What somebody wants to be there.
#[derive(Clone, Debug, Default)]
pub struct Held {
    places: BTreeSet<Place>,
    elsewhere: Vec<ObjectRef>,
}

/// What is to become of an object that a stack applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is wanted, by this stack or another.
    Wanted,
    /// Nobody wants it, but something that is wanted may be it, or would go with it.
    Needed,
    /// It is to be removed.
    Gone,
}

impl Held {
    /// One more that is wanted.
    pub fn add(&mut self, (object, place): Placed) {
        match place {
            Some(place) => drop(self.places.insert(place)),
            None => self.elsewhere.push(object),
        }
    }

    /// What is to become of an object.
    #[must_use]
    pub fn verdict(&self, (object, place): &Placed) -> Verdict {
        let Some(place) = place else {
            return match self.elsewhere.iter().find(|other| other.is_like(object)) {
                Some(other) if other.namespace_or_default() == object.namespace_or_default() => Verdict::Wanted,
                Some(_) => Verdict::Needed,
                None => Verdict::Gone,
            };
        };
        if self.places.contains(place) {
            return Verdict::Wanted;
        }
        let known = self.places.iter().any(|other| place.holds(other));
        let needed = known || self.elsewhere.iter().any(|other| other.is_like(object) || place.may_hold(other));
        if needed { Verdict::Needed } else { Verdict::Gone }
    }

    /// What was applied and is not wanted, with what is to become of it, the last first: what stands on another goes before it.
    #[must_use]
    pub fn leftovers(&self, applied: &[Placed]) -> Vec<(ObjectRef, Verdict)> {
        let all = applied.iter().rev().map(|placed| (placed.0.clone(), self.verdict(placed)));
        all.filter(|(_, verdict)| *verdict != Verdict::Wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Held, Place, Placed, Resource, Verdict};
    use crate::manifests::ObjectRef;

    fn object(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> ObjectRef {
        let namespace = namespace.map(ToOwned::to_owned);
        ObjectRef { api_version: api_version.to_owned(), kind: kind.to_owned(), namespace, name: name.to_owned() }
    }

    fn placed(object: ObjectRef) -> Placed {
        let (plural, namespaced) = match object.kind.as_str() {
            "Deployment" => ("deployments", true),
            "ConfigMap" => ("configmaps", true),
            "Namespace" => ("namespaces", false),
            "CustomResourceDefinition" => ("customresourcedefinitions", false),
            "Boat" => ("boats", true),
            _ => return (object, None),
        };
        let place = Place::of(&object, &Resource { plural: plural.to_owned(), namespaced });
        (object, Some(place))
    }

    fn held(objects: impl IntoIterator<Item = ObjectRef>) -> Held {
        let mut held = Held::default();
        objects.into_iter().for_each(|object| held.add(placed(object)));
        held
    }

    fn deployment(api_version: &str, namespace: Option<&str>, name: &str) -> ObjectRef {
        object(api_version, "Deployment", namespace, name)
    }

    fn gone(before: &[ObjectRef], now: &[ObjectRef]) -> Vec<ObjectRef> {
        let before: Vec<Placed> = before.iter().cloned().map(placed).collect();
        let left = held(now.iter().cloned()).leftovers(&before);
        left.into_iter().filter(|(_, verdict)| *verdict == Verdict::Gone).map(|(object, _)| object).collect()
    }

    #[test]
    fn what_left_the_files_is_gone_and_a_newer_version_is_not() {
        let shop = Some("shop");
        let before =
            ["a", "b", "c"].map(|name| deployment(if name == "a" { "apps/v1beta1" } else { "apps/v1" }, shop, name));
        let now = [deployment("apps/v1", shop, "a")];
        assert_eq!(gone(&before, &now), [before[2].clone(), before[1].clone()]);
    }

    #[test]
    fn an_object_whose_namespace_is_spelt_out_is_the_same() {
        let (spelt, bare) = (deployment("apps/v1", Some("default"), "a"), deployment("apps/v1", None, "a"));
        assert!(gone(std::slice::from_ref(&bare), std::slice::from_ref(&spelt)).is_empty());
        assert!(gone(&[spelt], std::slice::from_ref(&bare)).is_empty());
        let odd = object("v1", "Namespace", Some("shop"), "a");
        assert!(gone(&[odd], &[object("v1", "Namespace", None, "a")]).is_empty(), "namespaces are in none");
        let other = deployment("apps/v1", Some("shop"), "a");
        assert_eq!(gone(std::slice::from_ref(&bare), &[other]), [bare]);
    }

    #[test]
    fn what_goes_along_keeps_what_it_is_in() {
        let left = |object, held: &Held| held.leftovers(&[placed(object)]).first().map(|(_, verdict)| *verdict);
        let shop = || object("v1", "Namespace", None, "shop");
        let boats = || object("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "boats.sea.example");
        let boat = |namespace| object("sea.example/v1", "Boat", namespace, "a");
        assert_eq!(left(shop(), &held([deployment("apps/v1", Some("shop"), "a")])), Some(Verdict::Needed));
        assert_eq!(left(shop(), &held([deployment("apps/v1", Some("shed"), "a")])), Some(Verdict::Gone));
        assert_eq!(left(boats(), &held([boat(None)])), Some(Verdict::Needed));
        assert_eq!(
            left(boats(), &held([object("sea.example/v1", "Raft", None, "a")])),
            Some(Verdict::Needed),
            "not known"
        );
        assert_eq!(left(boats(), &held([object("air.example/v1", "Raft", None, "a")])), Some(Verdict::Gone));
        assert_eq!(left(shop(), &held([object("sea.example/v1", "Raft", Some("shop"), "a")])), Some(Verdict::Needed));
    }

    #[test]
    fn a_kind_that_is_not_known_may_be_any() {
        let raft = || object("sea.example/v1", "Raft", None, "a");
        assert!(gone(&[raft()], &[raft()]).is_empty());
        assert_eq!(gone(&[raft()], &[]), [raft()]);
        let away = object("sea.example/v1", "Raft", Some("shop"), "a");
        assert_eq!(held([away]).verdict(&placed(raft())), Verdict::Needed);
        let older = (raft(), Some(Place::of(&raft(), &Resource { plural: "rafts".to_owned(), namespaced: true })));
        let newer = held([object("sea.example/v2", "Raft", Some("shop"), "a")]);
        assert_eq!(newer.verdict(&older), Verdict::Needed);
    }

    proptest! {
        /// Nothing that is wanted is ever removed, and nothing that is not stays.
        #[test]
        fn removing_is_complete(before in "[a-f]{0,6}", now in "[a-f]{0,6}") {
            let refs = |text: &str| text.chars().map(|c| deployment("apps/v1", None, &c.to_string())).collect::<Vec<_>>();
            let (before, now) = (refs(&before), refs(&now));
            let removed = gone(&before, &now);
            prop_assert!(now.iter().all(|object| !removed.contains(object)));
            prop_assert!(before.iter().all(|object| now.contains(object) || removed.contains(object)));
        }
    }
}
