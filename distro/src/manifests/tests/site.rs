//! A folder and a cluster in memory, with whatever may go wrong in either.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    rc::Rc,
};

use serde_json::{Value, json};

use crate::{
    api::ApiError,
    manifests::{
        Book, Object, ObjectRef, RoundError, StackName,
        apply::ApplyError,
        document::objects,
        place::{Place, Resource},
        record::StackRecord,
        stack::Look,
        watch::Print,
        world::{Cluster, Folder},
    },
    sys::fs::{self, FsError},
};

/// A file in the folder: its text, or a link that leads nowhere.
#[derive(Clone, Debug)]
pub struct File {
    pub text: Option<String>,
    written: i128,
}

/// Something that happens to the site in the middle of a round.
type Event = Box<dyn FnOnce(&mut Site)>;

/// All there is.
#[derive(Default)]
pub struct Site {
    pub files: BTreeMap<PathBuf, File>,
    pub list: Option<String>,
    pub there: BTreeSet<Place>,
    pub records: BTreeMap<String, Value>,
    /// What was removed, the latest last.
    pub removed: Vec<Place>,
    /// What was wanted at the last look and at the one before; `None` if there was none.
    looked: (Option<BTreeSet<Place>>, Option<BTreeSet<Place>>),
    /// What must never happen, and did.
    pub wrong: Vec<String>,
    /// How many requests are refused, after how many that are not.
    pub refuse: (usize, usize),
    /// After how many questions the lead is lost.
    pub lose: Option<usize>,
    /// What happens after so many reads and requests.
    pub later: Option<(usize, Event)>,
    clock: i128,
}

/// The site, as rounds see it.
#[derive(Clone, Default)]
pub struct Hand(pub Rc<RefCell<Site>>);

const NAMESPACES: Resource = Resource { plural: String::new(), namespaced: false };

/// What the kinds of this cluster are; a boat's comes and goes.
fn resource(object: &ObjectRef) -> Resource {
    let (plural, namespaced) = match object.kind.as_str() {
        "Namespace" => ("namespaces", false),
        "CustomResourceDefinition" => ("customresourcedefinitions", false),
        "ConfigMap" => ("configmaps", true),
        "Deployment" => ("deployments", true),
        "Boat" => ("boats", true),
        _ => return NAMESPACES,
    };
    Resource { plural: plural.to_owned(), namespaced }
}

/// Where an object is.
pub fn place(object: &ObjectRef) -> Place {
    Place::of(object, &resource(object))
}

fn refused() -> ApiError {
    ApiError::Refused { path: "/".to_owned(), status: 500, message: "so".to_owned() }
}

fn failed(object: &ObjectRef) -> ApplyError {
    ApplyError::Api { kind: object.kind.clone(), name: object.name.clone(), source: refused() }
}

fn stack_of(path: &Path) -> StackName {
    let folder = path.parent().and_then(Path::file_name);
    StackName::of(&folder.or_else(|| path.file_stem()).expect("a name").to_string_lossy())
}

impl Site {
    pub fn write(&mut self, path: &str, text: &str) {
        self.clock += 1;
        self.files.insert(path.into(), File { text: Some(text.to_owned()), written: self.clock });
    }

    pub fn dangle(&mut self, path: &str) {
        self.files.insert(path.into(), File { text: None, written: 0 });
    }

    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(file) = self.files.remove(Path::new(from)) {
            self.files.insert(to.into(), file);
        }
    }

    pub fn remove(&mut self, path: &str) {
        self.files.remove(Path::new(path));
    }

    /// Where everything is that files which can be read hold now.
    pub fn wanted(&self) -> BTreeSet<Place> {
        let texts = self.files.values().filter_map(|file| file.text.as_deref());
        texts.filter_map(|text| objects(text).ok()).flatten().map(|object| place(&(&object).into())).collect()
    }

    fn at(&self, object: &ObjectRef) -> Option<Place> {
        let boats = self.there.iter().any(|other| other.holds(&place(object)));
        (object.kind != "Boat" || boats).then(|| place(object))
    }

    /// The cluster is asked, or a file read.
    fn step(&mut self) {
        match self.later.take() {
            Some((0, event)) => event(self),
            Some((left, event)) => self.later = Some((left - 1, event)),
            None => {}
        }
    }

    fn request(&mut self) -> Result<(), ApiError> {
        self.step();
        match &mut self.refuse {
            (0, 0) => Ok(()),
            (0, more) => {
                *more -= 1;
                Err(refused())
            }
            (good, _) => {
                *good -= 1;
                Ok(())
            }
        }
    }

    fn take_out(&mut self, gone: &Place) {
        if self.wanted().contains(gone) {
            self.wrong.push(format!("{gone:?} is removed, and a file holds it"));
        }
        match &self.looked.1 {
            None => self.wrong.push(format!("{gone:?} is removed at the first look")),
            Some(before) if before.contains(gone) => self.wrong.push(format!("{gone:?} is removed at once")),
            Some(_) => {}
        }
        self.there.remove(gone);
        self.removed.push(gone.clone());
    }

    /// The stacks that there are records of, with whose they are.
    pub fn recorded(&self) -> Vec<StackRecord> {
        self.records.values().map(|record| StackRecord::read(record).expect("ours")).collect()
    }
}

impl Hand {
    /// One look later; the controller has just begun if there is no book yet.
    pub fn round(&mut self, book: &mut Option<Book>) -> Result<(), RoundError> {
        {
            let mut site = self.0.borrow_mut();
            let before = if book.is_some() { site.looked.0.take() } else { None };
            site.looked = (Some(site.wanted()), before);
        }
        let mut cluster = self.clone();
        let name = || "barn".parse().expect("a name");
        let done = book.get_or_insert_with(|| Book::open(name(), self)).round(self, &mut cluster);
        if done.is_err() {
            // A look that failed is none.
            self.0.borrow_mut().looked.1 = None;
        }
        if !self.leads() {
            *book = None;
            self.0.borrow_mut().lose = None;
        }
        done
    }

    pub fn rounds(&mut self, book: &mut Option<Book>, count: usize) {
        for _ in 0..count {
            self.round(book).expect("a round");
        }
    }
}

impl Folder for Hand {
    fn look(&mut self) -> Result<Look, FsError> {
        let site = self.0.borrow();
        let mut look = Look::new();
        for (path, file) in &site.files {
            let size = file.text.as_ref().map(|text| text.len() as u64);
            let print = size.map_or(Print::Unreadable, |size| Print::File { size, written: file.written });
            look.entry(stack_of(path)).or_default().insert(path.clone(), print);
        }
        Ok(look)
    }

    fn print(&mut self, path: &Path) -> Option<Print> {
        self.look().ok()?.get(&stack_of(path))?.get(path).copied()
    }

    fn read(&mut self, path: &Path) -> Result<String, FsError> {
        let text = self.0.borrow().files.get(path).and_then(|file| file.text.clone());
        self.0.borrow_mut().step();
        text.map_or_else(|| fs::read_to_string(Path::new("/nowhere/at/all")), Ok)
    }

    fn list(&mut self) -> Result<Option<String>, FsError> {
        Ok(self.0.borrow().list.clone())
    }

    fn write_list(&mut self, text: &str) -> Result<(), FsError> {
        self.0.borrow_mut().list = Some(text.to_owned());
        Ok(())
    }
}

impl Cluster for Hand {
    fn leads(&self) -> bool {
        let mut site = self.0.borrow_mut();
        site.lose = site.lose.map(|left| left.saturating_sub(1));
        site.lose != Some(0)
    }

    fn records(&mut self) -> Result<Value, ApiError> {
        self.0.borrow_mut().request()?;
        Ok(json!({ "items": self.0.borrow().records.values().collect::<Vec<_>>() }))
    }

    fn remember(&mut self, record: &StackRecord) -> Result<(), ApiError> {
        let mut site = self.0.borrow_mut();
        site.request()?;
        site.records.insert(record.stack.clone(), record.object());
        Ok(())
    }

    fn forget(&mut self, stack: &StackName) -> Result<(), ApiError> {
        let mut site = self.0.borrow_mut();
        site.request()?;
        site.records.remove(stack.as_str());
        Ok(())
    }

    fn apply(&mut self, object: &Object) -> Result<(), ApplyError> {
        let (mut site, named) = (self.0.borrow_mut(), ObjectRef::from(object));
        site.request().map_err(|_| failed(&named))?;
        let Some(place) = site.at(&named) else {
            let (kind, name, api_version) = (named.kind, named.name, named.api_version);
            return Err(ApplyError::Kind { kind, name, api_version });
        };
        let elsewhere = resource(&named).namespaced && named.namespace_or_default() == "shop";
        if elsewhere && !site.there.iter().any(|other| other.holds(&place)) {
            return Err(failed(&named));
        }
        site.there.insert(place);
        Ok(())
    }

    fn remove(&mut self, object: &ObjectRef) -> Result<bool, ApplyError> {
        let mut site = self.0.borrow_mut();
        // What changes while a removal is under way comes too late for it.
        let later = site.later.take();
        let answer = site.request();
        site.later = later;
        answer.map_err(|_| failed(object))?;
        let Some(place) = site.at(object) else { return Ok(false) };
        let along: Vec<Place> = site.there.iter().filter(|other| place.holds(other)).cloned().collect();
        let there = site.there.contains(&place);
        for gone in along.iter().chain(there.then_some(&place)) {
            site.take_out(gone);
        }
        site.step();
        Ok(there)
    }

    fn place(&mut self, object: &ObjectRef) -> Result<Option<Place>, ApplyError> {
        let mut site = self.0.borrow_mut();
        site.request().map_err(|_| failed(object))?;
        Ok(site.at(object))
    }
}
