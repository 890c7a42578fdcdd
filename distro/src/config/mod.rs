//! Configuration in three forms: raw (what was written), merged (all sources), validated ([`Settings`]).

mod api;
mod default;
mod duration;
mod flags;
mod gates;
mod host;
mod images;
mod import;
mod network;
mod node;
mod problems;
mod profile;
mod raw;
mod refused;
mod settings;
mod storage;
mod subnet;
mod users;

pub use api::{Api, BadApi, Lifetimes};
pub use default::DEFAULT;
pub use duration::text as duration_text;
pub use flags::{BadFlag, Flags, Target};
pub use gates::{BadGate, FeatureGates};
pub use host::{BadHost, Domain, San};
pub use images::{BadImages, Images, OtherImage, PullPolicy};
pub use import::{ImportError, Imported, Remark, Weight, import};
pub use network::{Backend, BadNetwork, DualStack, Flannel, Network, Provider, Proxy, ProxyMode, Tuning};
pub use node::{BadNode, Label, NodeName, Taint};
pub use problems::{Problem, problems};
pub use profile::{BadProfile, KubeletValues, Profiles, put_over};
pub use raw::{ConfigError, Raw, Text};
pub use refused::BadSection;
pub use settings::{Invalid, Settings};
pub use storage::{BadStorage, ClientFiles, DataSource, EtcdMember, ExternalEtcd, Storage};
pub use subnet::{BadSubnet, Subnet, Subnet6};
pub use users::{BadUser, Users};
