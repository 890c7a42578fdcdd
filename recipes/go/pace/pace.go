// Package pace lets the garbage collector work as often as is cheap, and not as seldom as a fixed GOGC would. A program that is
// imported with it keeps, beside what it lives on, about what it allocates within the span: next to nothing while it idles, and
// as much as GOGC allows while it works.
package pace

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"sync"
	"time"
)

// variable holds the span, as in `20s`. Without it, the collector is left alone.
const variable = "SK8S_GC_SPAN"

// least is the lowest GOGC that is ever set: below it, a burst out of idleness would collect too often before it is noticed.
const least = 10

// startSpare is what a program keeps in spare at most until it has first idled, in bytes: what it makes then it mostly keeps, and
// between garbage that would lie scattered over pages that nothing gives back.
const startSpare = 16 << 20

type pacer struct {
	span      time.Duration
	most      int
	starts    bool
	at        time.Time
	allocated uint64
	samples   []metrics.Sample
	idle      *time.Timer
	mutex     sync.Mutex
}

// signal is collected with every collection; it is large enough to lie in no block with others.
type signal struct {
	pacer *pacer
	_     [24]byte
}

func init() {
	span, err := time.ParseDuration(os.Getenv(variable))
	if err != nil || span <= 0 {
		return
	}
	most, err := strconv.Atoi(os.Getenv("GOGC"))
	if err != nil {
		most = 100
	}
	p := &pacer{span: span, most: most, starts: true, at: time.Now()}
	p.samples = []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	p.idle = time.AfterFunc(span, p.settle)
	p.await()
}

// settle collects what a burst has left when nothing has been collected for a span since, and gives it back at once, with what
// earlier collections have freed: a program that idles may not come to a collection by itself for minutes, and the runtime
// takes its time to give back.
func (p *pacer) settle() {
	if worth(p.spare()) {
		debug.FreeOSMemory()
		return
	}
	p.idle.Reset(p.span)
}

// spare is what the last collection left, and what a collection could give back at most, in bytes: what has been allocated
// since, and what lies free. Whoever has idled for a span has started.
func (p *pacer) spare() (live, spare uint64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.starts = false
	live, allocated, free := p.heap()
	return live, allocated - p.allocated + free
}

// worth says whether a collection would give back enough to be worth its time.
func worth(live, spare uint64) bool {
	return spare*100 >= live*least
}

func (p *pacer) heap() (live, allocated, free uint64) {
	metrics.Read(p.samples)
	return p.samples[0].Value.Uint64(), p.samples[1].Value.Uint64(), p.samples[2].Value.Uint64()
}

// await has the pacer look at the heap after the next collection.
func (p *pacer) await() {
	runtime.SetFinalizer(&signal{pacer: p}, func(s *signal) {
		s.pacer.adjust()
		s.pacer.await()
	})
}

func (p *pacer) adjust() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	now := time.Now()
	live, allocated, _ := p.heap()
	rate := float64(allocated-p.allocated) / max(now.Sub(p.at).Seconds(), 1e-3)
	p.at, p.allocated = now, allocated
	most := p.most
	if p.starts {
		most = min(most, startPercent(live))
	}
	debug.SetGCPercent(percent(rate, p.span, live, most))
	p.idle.Reset(p.span)
}

// startPercent is the GOGC with which a heap that lives on `live` bytes keeps no more than startSpare beside it.
func startPercent(live uint64) int {
	return max(least, int(startSpare*100/max(live, 1<<20)))
}

// percent is the GOGC with which a heap that grows by `rate` bytes a second is collected once a span; `live` is what the last
// collection left of it, in bytes.
func percent(rate float64, span time.Duration, live uint64, most int) int {
	grown := rate * span.Seconds() / max(float64(live), 1<<20)
	return int(math.Ceil(min(max(grown*100, least), max(float64(most), least))))
}
