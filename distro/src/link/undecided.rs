//! Callers that have not said yet what they want. Nobody knows who they are, and anybody can open connections and be silent: so
//! there are only so many, and a newcomer is never the one that has to go.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::TcpStream, sync::oneshot};

use super::hello::{self, For};
use crate::sys::net;

/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after the first look at what a caller has said so far, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));
/// How many callers may be undecided at a time.
const MOST: usize = 128;
/// How many of one address: a whole fleet may be behind it, yet nodes speak as soon as they are connected.
const MOST_OF_ONE: usize = 16;

/// All that are undecided now.
#[derive(Clone, Debug, Default)]
pub struct Undecided(Arc<Mutex<Line>>);

/// Oldest first.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeMap<u64, Waiting>,
    count: u64,
}

#[derive(Debug)]
struct Waiting {
    source: IpAddr,
    /// The caller's place is lost when this is dropped.
    _held: oneshot::Sender<()>,
}

/// A caller's place, until this is dropped or another needs it more.
#[derive(Debug)]
pub struct Place {
    line: Undecided,
    number: u64,
    lost: oneshot::Receiver<()>,
}

impl Undecided {
    fn locked(&self) -> std::sync::MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a caller in, and whoever is in its way out.
    #[must_use]
    pub fn enter(&self, source: IpAddr) -> Place {
        let (held, lost) = oneshot::channel();
        let mut line = self.locked();
        if let Some(number) = line.in_the_way(source) {
            line.waiting.remove(&number);
        }
        line.count += 1;
        let number = line.count;
        line.waiting.insert(number, Waiting { source, _held: held });
        Place { line: self.clone(), number, lost }
    }
}

impl Line {
    /// The oldest of an address that has many; else, where there are many, the oldest of all.
    fn in_the_way(&self, source: IpAddr) -> Option<u64> {
        let mut of_one = self.waiting.iter().filter(|(_, waiting)| waiting.source == source).map(|(number, _)| *number);
        let oldest = of_one.next();
        if oldest.is_some() && of_one.count() + 1 >= MOST_OF_ONE {
            return oldest;
        }
        self.waiting.keys().next().copied().filter(|_| self.waiting.len() >= MOST)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.locked().waiting.remove(&self.number);
    }
}

/// What a caller wants.
///
/// # Errors
/// If it does not say so in time, or its place was needed and it had not said so until then.
pub async fn decide(stream: &TcpStream, mut place: Place) -> io::Result<For> {
    let mut ear = Ear { stream, heard: 0 };
    tokio::select! {
        biased;
        wish = tokio::time::timeout(PATIENCE, ear.hear()) => return wish?,
        _ = &mut place.lost => {}
    }
    // Where many connect at once, it may have spoken and not been heard yet.
    match ear.look()? {
        For::More => Err(io::ErrorKind::TimedOut.into()),
        wish => Ok(wish),
    }
}

/// Listens to a caller and leaves its words for whom they are.
struct Ear<'a> {
    stream: &'a TcpStream,
    /// How many bytes were looked at.
    heard: usize,
}

impl Ear<'_> {
    /// Whoever speaks byte by byte is looked at no more often than who says nothing.
    async fn hear(&mut self) -> io::Result<For> {
        self.stream.peek(&mut [0]).await?;
        let mut pause = PAUSES.0;
        loop {
            match self.look()? {
                For::More => tokio::time::sleep(pause).await,
                wish => return Ok(wish),
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// What it wants as far as it has spoken. Only new words are worth a thought.
    fn look(&mut self) -> io::Result<For> {
        let mut bytes = vec![0; hello::LONGEST];
        let count = match net::peek(self.stream, &mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(For::More),
            count => count?,
        };
        match count {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ if count == self.heard => Ok(For::More),
            _ => {
                self.heard = count;
                Ok(hello::look(&bytes[..count]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use tokio::{
        io::AsyncWriteExt as _,
        net::{TcpListener, TcpStream},
        sync::oneshot::error::TryRecvError,
        task::JoinSet,
    };

    use super::{For, MOST, MOST_OF_ONE, Place, Undecided, decide};
    use crate::link::{JOIN, LINK, hello::tests::hello};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// Which of these lost their places.
    fn lost(places: &mut [Place]) -> Vec<usize> {
        let lost = places.iter_mut().map(|place| place.lost.try_recv() == Err(TryRecvError::Closed)).enumerate();
        lost.filter_map(|(number, lost)| lost.then_some(number)).collect()
    }

    /// A caller, and where it arrives.
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind((HERE, 0)).await.expect("a port");
        let caller = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("connected");
        (caller, listener.accept().await.expect("accepted").0)
    }

    #[test]
    fn an_address_that_has_many_loses_its_oldest() {
        let all = Undecided::default();
        let other = all.enter([192, 0, 2, 1].into());
        let mut places: Vec<Place> = (0..MOST_OF_ONE + 2).map(|_| all.enter(HERE)).collect();
        assert_eq!(lost(&mut places), [0, 1]);
        assert_eq!(lost(&mut [other]), [0; 0]);
        drop(places);
        let mut places: Vec<Place> = (0..MOST_OF_ONE).map(|_| all.enter(HERE)).collect();
        assert_eq!(lost(&mut places), [0; 0], "who is decided has no place any more");
    }

    #[test]
    fn where_there_are_many_the_oldest_of_all_goes() {
        let all = Undecided::default();
        let address = |number: usize| IpAddr::from([192, 0, 2, u8::try_from(number).expect("few")]);
        let mut places: Vec<Place> = (0..MOST + 3).map(|number| all.enter(address(number))).collect();
        assert_eq!(lost(&mut places), [0, 1, 2]);
    }

    #[tokio::test]
    async fn a_fleet_behind_one_address_that_has_spoken_is_heard() {
        let (all, words) = (Undecided::default(), hello(&[LINK]));
        let mut fleet = Vec::new();
        for _ in 0..MOST_OF_ONE * 3 {
            fleet.push(pair().await);
        }
        let (mut callers, arrived): (Vec<_>, Vec<_>) = fleet.into_iter().unzip();
        let mut wishes = JoinSet::new();
        let mut arrived = arrived.into_iter().map(|stream| (stream, all.enter(HERE)));
        for (stream, place) in arrived.by_ref().take(MOST_OF_ONE) {
            wishes.spawn(async move { decide(&stream, place).await });
        }
        tokio::task::yield_now().await;
        // All speak, and before any is heard, others come.
        for caller in &mut callers {
            caller.write_all(&words).await.expect("said");
        }
        for (stream, place) in arrived {
            wishes.spawn(async move { decide(&stream, place).await });
        }
        while let Some(wish) = wishes.join_next().await {
            assert_eq!(wish.expect("it ran").expect("heard"), For::Link);
        }
    }

    #[tokio::test]
    async fn who_is_silent_goes_as_soon_as_its_place_is_needed() {
        let all = Undecided::default();
        let (_caller, arrived) = pair().await;
        let place = all.enter(HERE);
        let silent = tokio::spawn(async move { decide(&arrived, place).await });
        tokio::task::yield_now().await;
        let _others: Vec<Place> = (0..MOST_OF_ONE).map(|_| all.enter(HERE)).collect();
        silent.await.expect("it ran").expect_err("it was silent");
    }

    #[tokio::test]
    async fn half_a_wish_is_waited_for_and_the_end_is_not() {
        let (all, words) = (Undecided::default(), hello(&[JOIN]));
        let (mut caller, arrived) = pair().await;
        let said = async {
            for part in words.chunks(words.len() / 3 + 1) {
                caller.write_all(part).await.expect("said");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let (wish, ()) = tokio::join!(decide(&arrived, all.enter(HERE)), said);
        assert_eq!(wish.expect("heard"), For::Join);
        let (caller, arrived) = pair().await;
        drop(caller);
        assert!(decide(&arrived, all.enter(HERE)).await.is_err());
    }
}
