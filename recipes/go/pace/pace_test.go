package pace

import (
	"testing"
	"testing/quick"
	"time"
)

const mib = 1 << 20

func TestAnIdleProgramKeepsLittle(t *testing.T) {
	if got := percent(0.1*mib, 20*time.Second, 50*mib, 100); got != least {
		t.Errorf("got %d", got)
	}
}

func TestABusyOneKeepsWhatItMay(t *testing.T) {
	if got := percent(80*mib, 20*time.Second, 50*mib, 100); got != 100 {
		t.Errorf("got %d", got)
	}
}

func TestBetweenTheyKeepWhatASpanAllocates(t *testing.T) {
	if got := percent(1*mib, 20*time.Second, 50*mib, 100); got != 40 {
		t.Errorf("got %d", got)
	}
}

func TestNoRateLeavesTheBounds(t *testing.T) {
	within := func(rate float64, live uint64, most uint8) bool {
		got := percent(max(rate, 0), 20*time.Second, live, int(most))
		return got >= least && got <= max(int(most), least)
	}
	if err := quick.Check(within, nil); err != nil {
		t.Error(err)
	}
}

func TestWhatHardlyGivesAnythingBackIsLeft(t *testing.T) {
	if worth(50*mib, 4*mib) || !worth(50*mib, 5*mib) || !worth(0, mib) {
		t.Error("a tenth is worth it")
	}
}

func TestAStartKeepsLittleInSpare(t *testing.T) {
	if got := startPercent(64 * mib); got != 25 {
		t.Errorf("got %d", got)
	}
	within := func(live uint64) bool {
		got := startPercent(live)
		return got >= least && got <= startSpare/mib*100
	}
	if err := quick.Check(within, nil); err != nil {
		t.Error(err)
	}
}
