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

type pacer struct {
	span      time.Duration
	most      int
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
	p := &pacer{span: span, most: most, at: time.Now()}
	p.samples = []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	p.idle = time.AfterFunc(span, p.settle)
	p.await()
}

// settle collects what a burst has left when nothing has been collected for a span since, and gives it back at once: a program
// that idles may not come to a collection by itself for minutes.
func (p *pacer) settle() {
	if worth(p.grown()) {
		debug.FreeOSMemory()
		return
	}
	p.idle.Reset(p.span)
}

// grown is what the last collection left, and what has been allocated since, in bytes.
func (p *pacer) grown() (live, grown uint64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	live, allocated := p.heap()
	return live, allocated - p.allocated
}

// worth says whether a collection would give back enough to be worth its time.
func worth(live, grown uint64) bool {
	return grown*100 >= live*least
}

func (p *pacer) heap() (live, allocated uint64) {
	metrics.Read(p.samples)
	return p.samples[0].Value.Uint64(), p.samples[1].Value.Uint64()
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
	live, allocated := p.heap()
	rate := float64(allocated-p.allocated) / max(now.Sub(p.at).Seconds(), 1e-3)
	p.at, p.allocated = now, allocated
	debug.SetGCPercent(percent(rate, p.span, live, p.most))
	p.idle.Reset(p.span)
}

// percent is the GOGC with which a heap that grows by `rate` bytes a second is collected once a span; `live` is what the last
// collection left of it, in bytes.
func percent(rate float64, span time.Duration, live uint64, most int) int {
	grown := rate * span.Seconds() / max(float64(live), 1<<20)
	return int(math.Ceil(min(max(grown*100, least), max(float64(most), least))))
}
